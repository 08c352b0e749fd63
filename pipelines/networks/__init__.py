"""Every neural network, built of ComfyUI's own blocks and held by its model management."""
