// replay_page.js - looks at a replay page from inside. tests/replay.bats runs it in the browser, and then asks it.
//
// It reads what a person sees: elements of the page, not the variables of its script. Each function returns lines.
window.look = (() => {
    const all = (selector, root = document) => [...root.querySelectorAll(selector)];
    const box = element => element.getBoundingClientRect();
    const nameOf = element => element.id || `${element.parentElement.id} .${element.className}`;

    function press(key) {
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    }

    // The state after this step, as "build/story --at N" prints it.
    function state() {
        const n = document.getElementById('track').getAttribute('aria-valuenow');
        const lines = [];
        for (const row of all('.process')) {
            const { p } = row.dataset, { how } = row.querySelector('.how').dataset;
            const usr1 = row.querySelector('.usr1').dataset;
            if (!how) continue;
            lines.push(['state', n, p, how], ['sigusr1', n, p, usr1.action, usr1.mask, usr1.pending, usr1.taken]);
        }
        for (const { dataset } of all('.word')) lines.push(['value', n, dataset.w, dataset.value, dataset.writer]);
        for (const { dataset } of all('.printed p:not(.none)')) lines.push(['printed', dataset.p, dataset.text]);
        return lines.map(line => line.join('\t')).sort();
    }

    function overlap(a, b) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        return wide > 1 && high > 1;
    }

    const isShown = element => box(element).width > 0 && box(element).height > 0;

    function overlaps(elements) {
        const found = [], shown = elements.filter(isShown);
        shown.forEach((a, i) => shown.slice(i + 1).forEach(b => {
            if (overlap(box(a), box(b))) found.push(`${nameOf(a)} overlaps ${nameOf(b)}`);
        }));
        return found;
    }

    // Which parts overlap, leave the window, cut off their text, or hide the current line.
    function layout() {
        const parts = all('#bar > *, #missing, #caption, .processes, .source, .printed, #words, h2, #timeline');
        const found = overlaps(parts);
        found.push(...overlaps(all('#buttons > *, #runs > *')), ...overlaps(all('#caption > *')));
        for (const row of all('.process')) found.push(...overlaps([...row.children]));
        for (const part of parts.filter(isShown)) {
            const { left, right, top, bottom } = box(part);
            if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1)
                found.push(`${nameOf(part)} leaves the window`);
        }
        for (const part of all('#caption, #bar, .processes, #title'))
            if (part.scrollWidth > part.clientWidth + 1 || (part.id && part.scrollHeight > part.clientHeight + 1))
                found.push(`${nameOf(part)} is cut off: ${part.textContent}`);
        for (const source of all('.source')) {
            const line = source.querySelector('.lead');
            if (!line) continue;
            if (box(line).top < box(source).top || box(line).bottom > box(source).bottom)
                found.push(`${nameOf(source)} hides its current line`);
        }
        return found;
    }

    // ---- contrast, as WCAG 2 computes it

    function channels(colour) {
        const numbers = colour.match(/[\d.]+/g).map(Number);
        return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
    }

    function luminance(rgb) {
        const [r, g, b] = rgb.map(c => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }

    function ground(element) {
        for (let at = element; at; at = at.parentElement) {
            const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor);
            if (alpha === 1) return rgb;
        }
        return [255, 255, 255];
    }

    function contrast() {
        const found = new Set();
        for (const element of all('#app *')) {
            const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
            if (!isShown(element) || !hasText) continue;
            const inSvg = element.closest('svg');
            const style = getComputedStyle(element);
            const one = luminance(channels(inSvg ? style.fill : style.color).rgb), other = luminance(ground(element));
            const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            if (ratio < 4.5) found.add(`${element.tagName}, ${ratio.toFixed(2)}: ${element.textContent}`);
        }
        return [...found];
    }

    // Clicks on the timeline, on every so many steps, and looks at each.
    function walk(every) {
        const found = [], track = document.getElementById('track'), svg = track.querySelector('svg');
        const step = box(document.getElementById('cursor')).width, steps = Math.round(box(svg).width / step);
        for (let i = 0; i < steps; i += every) {
            svg.dispatchEvent(new MouseEvent('click', { clientX: box(svg).left + (i + 0.5) * step, bubbles: true }));
            for (const line of layout()) found.push(`step ${track.getAttribute('aria-valuenow')}: ${line}`);
        }
        return found.slice(0, 20);
    }

    // Where the focus is, and how it is marked.
    function focus() {
        const at = document.activeElement;
        return `${at.id || at.className} ${at.matches(':focus-visible') ? getComputedStyle(at).outlineStyle : 'none'}`;
    }

    function middle(selector) {
        const { left, top, width, height } = box(document.querySelector(selector));
        return `${Math.round(left + width / 2)} ${Math.round(top + height / 2)}`;
    }

    // Is the timeline covered right of the current step?
    function isCovered() {
        const future = box(document.getElementById('future')), cursor = box(document.getElementById('cursor'));
        return future.width > 100 && Math.abs(future.left - cursor.right) < 1;
    }

    return { state, layout, contrast, walk, press, focus, middle, isCovered };
})();
