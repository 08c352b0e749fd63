// What is wired into a node, as far as the editor can know before a run.

export const EVERY = 1000; // ms between looks at it: nothing tells a node that one before it changed

export function inputLink(node, name) {
    const link = node.inputs?.find((input) => input.name === name)?.link;
    return link == null ? undefined : node.graph?.getLink(link);
}

export function originOf(node, name) {
    const link = inputLink(node, name);
    const origin = link && node.graph.getNodeById(link.origin_id);
    return origin?.type === "Reroute" ? originOf(origin, origin.inputs[0].name) : origin;
}

/** The number or text in a widget; NaN when another node feeds it. */
export function widgetValue(node, name) {
    const isFed = node.inputs?.some((input) => input.widget?.name === name && input.link != null);
    return isFed ? NaN : node.widgets?.find((widget) => widget.name === name)?.value;
}

/** The file that a loader gives straight to the input `name`; "" when something else does. */
export function loadedFile(node, name, loader, widget) {
    const origin = originOf(node, name);
    if (origin?.comfyClass !== loader || origin.mode !== 0) return "";
    const file = widgetValue(origin, widget);
    return typeof file === "string" ? file : "";
}

/** Call `look` every second as long as the node lives. */
export function whileItLives(node, look) {
    const timer = setInterval(look, EVERY);
    const removed = node.onRemoved;
    node.onRemoved = function (...given) {
        clearInterval(timer);
        return removed?.apply(this, given);
    };
}
