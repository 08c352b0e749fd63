// Elements in a line each.

/** An element with properties, attributes ("aria-...", "data-...") and children. */
export function el(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (name.includes("-")) made.setAttribute(name, value);
        else made[name] = value;
    }
    made.append(...children.filter((child) => child !== null));
    return made;
}

/** A style sheet of this folder. */
export function styleSheet(name) {
    return el("link", { rel: "stylesheet", href: new URL(name, import.meta.url).href });
}
