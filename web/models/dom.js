// Small makers of elements for the models panel.

/** An element with properties and children. */
export function element(tag, properties = {}, children = []) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
}

/** label: what screen readers say, where the text alone is not enough. */
export function button(text, label, act) {
    const made = element("button", { type: "button", textContent: text, ariaLabel: label });
    made.addEventListener("click", act);
    return made;
}

/** "3.4 GB", "335 MB". */
export function formatSize(bytes) {
    return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
