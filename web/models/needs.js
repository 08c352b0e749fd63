// Which files the open workflow needs: those that its nodes name, and the first choice where they name none.

const NEVER = 2, BYPASS = 4; // modes of nodes that do not run

/** Keys of the needed files. files: as the server describes them, the first choice of each input first. */
export function neededKeys(graph, files) {
    const needed = new Set();
    for (const node of activeNodes(graph)) {
        for (const group of groupsOf(node, files)) {
            for (const file of chosenOf(node, group)) needed.add(file.key);
        }
    }
    return needed;
}

function* activeNodes(graph) {
    for (const node of graph?.nodes ?? []) {
        if (node.mode === NEVER || node.mode === BYPASS) continue;
        yield node;
        yield* activeNodes(node.subgraph);
    }
}

/** The files that a node needs, by its widget; it works without the optional ones. */
function groupsOf(node, files) {
    const groups = new Map();
    for (const file of files) {
        for (const use of file.uses) {
            if (use.node !== node.comfyClass || use.optional) continue;
            groups.set(use.widget, [...(groups.get(use.widget) ?? []), file]);
        }
    }
    return [...groups].map(([name, candidates]) => ({ name, candidates }));
}

/** All files of the folder that the widget's value is in; the first folder when it names none; none when the user's
 *  own file is there. */
function chosenOf(node, { name, candidates }) {
    const widget = node.widgets?.find((found) => found.name === name);
    const value = String(widget?.value ?? "").replaceAll("\\", "/");
    const named = candidates.find((file) => namesOf(file).includes(value));
    if (!named && widget && optionsOf(widget).includes(widget.value) && value.includes(".")) return [];
    const first = named ?? candidates[0];
    return candidates.filter((file) => file.folder === first.folder);
}

/** As loaders list it: those of one folder inside of that, those of several with the folder. */
function namesOf(file) {
    const path = `${file.folder}/${file.name}`;
    return [path, path.slice(path.indexOf("/") + 1)];
}

function optionsOf(widget) {
    const values = widget.options?.values;
    return (typeof values === "function" ? values() : values) ?? [];
}
