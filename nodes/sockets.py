"""Socket types that comfy_api has no name for."""

from __future__ import annotations

from comfy_api.latest import io

# The pack's own.
LipSyncEngine = io.Custom("LIPSYNC_ENGINE")
LipSyncParsing = io.Custom("LIPSYNC_PARSING")
LipSyncFaces = io.Custom("LIPSYNC_FACES")
LipSyncDetector = io.Custom("LIPSYNC_DETECTOR")
LipSyncBlending = io.Custom("LIPSYNC_BLENDING")
LipSyncTimings = io.Custom("LIPSYNC_TIMINGS")
LipSyncListener = io.Custom("LIPSYNC_LISTENER")

# Of ComfyUI's own nodes and of other packs, which find faces in their ways.
FaceDetectionModel = io.Custom("FACE_DETECTION_MODEL")
FaceLandmarks = io.Custom("FACE_LANDMARKS")
PoseKeypoint = io.Custom("POSE_KEYPOINT")
BBox = io.Custom("BBOX")

# Of other packs that use word times: a list of {"value", "start", "end"} in seconds.
WhisperAlignment = io.Custom("whisper_alignment")
