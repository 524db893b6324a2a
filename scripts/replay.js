// replay.js - what a replay page does: it shows the story of a run (scripts/story.c) step by step.
//
// The data come from traces and sources that anybody may have written. So text enters the page by textContent only.
// An "item" is a step of the story or a fold, that is a run of steps that are not shown one by one. Item 0 is the
// moment before the first step.
'use strict';
(() => {
    const $ = id => document.getElementById(id);
    const data = JSON.parse($('data').textContent);
    const SIDES = ['listener', 'talker'];
    const PLAY_EVERY = 1600; // milliseconds
    const here = { run: data.start, at: 0, asking: false, asked: -1, seen: 0, scale: 1, before: null };
    let timer = 0, addressTimer = 0;

    // ---- small helpers

    function el(tag, className, text) {
        const element = document.createElement(tag);
        if (className) element.className = className;
        if (text !== undefined) element.textContent = text;
        return element;
    }

    function draw(tag, attributes, text) {
        const shape = document.createElementNS('http://www.w3.org/2000/svg', tag);
        for (const name in attributes) shape.setAttribute(name, attributes[name]);
        if (text !== undefined) shape.textContent = text;
        return shape;
    }

    const ICONS = { // on a square of 16
        running: 'M4 2v12l9-6z',
        asleep: 'M3 3h6v2L6 9h3v2H3V9l3-4H3zM10 8h4v1.5L12.2 12H14v2h-4v-1.500l1.800-2.500H10z',
        stopped: 'M3 2h4v12H3zM9 2h4v12H9z',
        ended: 'M3 3h10v10H3z',
        absent: 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2zm0 2a4 4 0 1 1 0 8 4 4 0 1 1 0-8z',
        blocked: 'M4 7V5a4 4 0 0 1 8 0v2h1v7H3V7zm2 0h4V5a2 2 0 0 0-4 0z',
        open: 'M4 7V4a4 4 0 0 1 7.500-2L10 3.200A2 2 0 0 0 6 4v3h7v7H3V7z',
        pending: 'M8 1c3 0 4 2 4 5v4l2 2H2l2-2V6c0-3 1-5 4-5zM6 13h4a2 2 0 0 1-4 0z',
        taken: 'M2 8l2-2 3 3 5-6 2 2-7 8z'
    };

    function icon(name) {
        const svg = draw('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' });
        svg.append(draw('path', { d: ICONS[name], fill: 'currentColor' }));
        return svg;
    }

    // ---- the story

    function placeOf(where) { // FILE:LINE
        const place = /^(.*):(\d+)$/.exec(where);
        return place ? { file: place[1], line: Number(place[2]) } : { file: where, line: 0 };
    }

    function unpack(packed) {
        const texts = packed.texts;
        const processes = packed.processes.map(([name, pid, side, parent]) => ({ name, pid, side, parent }));
        const items = packed.items.map(([first, last, ns, p, where, kind, text, why, facts]) => ({
            first, last, ns, p: p - 1, kind, facts, ...placeOf(texts[where]), text: texts[text], why: texts[why]
        }));
        items.unshift({ first: 0, last: 0, ns: 0, p: -1, kind: 'start', facts: [], ...placeOf(''), text: '', why: '' });
        const run = { name: packed.name, label: packed.label, missing: packed.missing, claim: packed.claim,
            words: packed.words, processes, items };
        processes.forEach((process, p) => {
            process.first = items.findIndex(item => item.p === p);
            process.lane = processes.filter((other, q) => other.side === process.side && q < p).length;
        });
        return run;
    }

    const runs = data.runs.map(unpack);
    const run = () => runs[here.run];

    // The item that holds step N.
    function itemOf(story, n) {
        const index = story.items.findIndex(item => item.last >= n);
        return index < 0 ? story.items.length - 1 : index;
    }

    const FACTS = {
        printed: (state, n, p, text) => { state.processes[p - 1].printed.push({ text, at: n }); },
        at: (state, n, p, where) => { Object.assign(state.processes[p - 1], placeOf(where)); },
        state: (state, n, p, how) => { Object.assign(state.processes[p - 1], { how, lost: false }); },
        sigusr1: (state, n, p, action, mask, pending, taken) => {
            Object.assign(state.processes[p - 1], { action, mask, pending: Number(pending), taken: Number(taken) });
        },
        value: (state, n, w, value, writer) => {
            state.words.set(Number(w), { value, writer: Number(writer), at: n });
        }
    };

    // Everything after item `at`.
    function stateAt(story, at) {
        const state = {
            processes: story.processes.map(() => ({ how: '', action: 'default', mask: 'open', pending: 0, taken: 0,
                file: '', line: 0, lost: false, printed: [] })),
            words: new Map()
        };
        for (let i = 1; i <= at; i++) {
            const item = story.items[i];
            const process = state.processes[item.p];
            if (process && item.line) Object.assign(process, { file: item.file, line: item.line });
            if (process && item.kind === 'print') process.printed.push({ text: item.text, at: i });
            for (const [what, ...fields] of item.facts) if (FACTS[what]) FACTS[what](state, i, ...fields);
            if (process && item.kind === 'sleep' && factsOf(item, 'lost').length) process.lost = true;
        }
        return state;
    }

    const factsOf = (item, what) => item.facts.filter(fact => fact[0] === what);

    function nameOf(story, p) {
        const process = story.processes[p];
        const alike = story.processes.filter(other => other.side === process.side);
        if (alike.length === 1) return process.side;
        return (process.parent ? 'child ' : process.side + ' ') + process.pid;
    }

    // ---- the same moment in the other run

    // Two steps are the same if the same side does the same thing, whatever the numbers in it.
    function symbol(story, item) {
        if (item.p < 0) return '';
        const { side, parent } = story.processes[item.p];
        return [side, parent ? 'child' : '', item.kind, item.text.replace(/0x[0-9a-f]+|\d+/g, '#')].join('\t');
    }

    const MILESTONES = { publish: 4, point: 4, signal: 4, print: 2 };

    // Pairs of items, in the order of both stories, that are the same step and weigh most in all. What both programs
    // have told each other weighs most.
    function align(a, b) {
        const left = a.items.map(item => symbol(a, item)), right = b.items.map(item => symbol(b, item));
        const width = right.length + 1;
        const best = new Uint32Array((left.length + 1) * width);
        for (let i = left.length - 1; i >= 0; i--)
            for (let j = right.length - 1; j >= 0; j--) {
                const both = left[i] && left[i] === right[j] ? MILESTONES[a.items[i].kind] || 1 : 0;
                best[i * width + j] = Math.max(best[(i + 1) * width + j], best[i * width + j + 1],
                    both && both + best[(i + 1) * width + j + 1]);
            }
        const pairs = [[0, 0]];
        for (let i = 0, j = 0; i < left.length && j < right.length;) {
            const here = best[i * width + j];
            if (here === best[(i + 1) * width + j]) i++;
            else if (here === best[i * width + j + 1]) j++;
            else pairs.push([i++, j++]);
        }
        return pairs;
    }

    // The moment in run `to` that corresponds to item `at` of run `from`: the last step up to there that both runs
    // have, and from there on as far as no further step that both have is reached.
    function sameMoment(from, to, at) {
        const pairs = align(runs[from], runs[to]);
        if (at === runs[from].items.length - 1) return runs[to].items.length - 1;
        let last = [0, 0], next = null;
        for (const pair of pairs)
            if (pair[0] <= at) last = pair;
            else next = next || pair;
        const room = (next ? next[1] : runs[to].items.length) - 1;
        return Math.min(last[1] + (at - last[0]), room);
    }

    function switchRun(to) {
        if (to === here.run || !runs[to]) return;
        const back = here.before;
        const at = back && back.run === to && back.from === here.at ? back.at : sameMoment(here.run, to, here.at);
        const before = { run: here.run, at: here.at, from: at };
        here.run = to;
        here.at = at;
        here.seen = at;
        here.before = before;
        buildTrack();
        show();
    }

    // ---- the caption

    const VERBS = {
        call: 'calls', sleep: 'sleeps in', wake: 'wakes up:', signal: 'takes a signal:', publish: 'publishes',
        observe: 'observes', point: 'reaches the point', print: 'prints', note: '', end: 'ends:'
    };

    // What stands in a column of its own need not say whose it is.
    const bare = (text, side) => (text.startsWith(side + ': ') ? text.slice(side.length + 2) : text);

    // Of a long struct only the first member is shown, and of an error only its name.
    function shorten(text) {
        const short = text.replace(/ = -1 (E\w+) \(.*\)$/, ' = -1 $1');
        if (short.length <= 70) return short;
        return short.replace(/\{([^{},]*,)?.*\}/, (all, first) => `{${first ? first + ' ' : ''}...}`);
    }

    function spoken(story, item) {
        const text = shorten(item.text).replace(/^(publish|observe|point|end:) /, '');
        if (item.kind === 'print') return bare(text, story.processes[item.p].side);
        if (item.kind !== 'signal') return text;
        return text.replace(factsOf(item, 'link').length ? /^--- (\S+).* ---$/ : /^--- (.*) ---$/, '$1');
    }

    function because(story, item) {
        const before = story.items.slice(0, story.items.indexOf(item)).reverse().find(other => other.p === item.p);
        const signalled = !/^(sigsuspend|pause)\(/.test(item.text) || (before && before.kind === 'signal');
        const without = signalled ? '' : ', no SIGUSR1 came';
        const from = factsOf(item, 'link').map(([, step, what]) => {
            const cause = story.items[itemOf(story, Number(step))];
            const who = cause.p < 0 ? '' : nameOf(story, cause.p) + ', ';
            return what === 'wakeup' ? `asleep since step ${step}${without}` : `from ${who}step ${step}`;
        });
        if (from.length <= 3) return from.join('; ');
        return `from ${from.length} steps, the last is ${factsOf(item, 'link').pop()[1]}`;
    }

    // ---- does the explanation in force explain this step?

    // A program explains a paragraph of its source. The functions that the paragraph calls belong to it. What comes
    // after it has the same explanation in the trace, but the sentence is not about it.
    function explains(item) {
        const lines = sources.get(item.file);
        if (!lines || !item.why) return true;
        const start = explainLine(lines, item);
        if (start < 0) return true;
        let end = start;
        while (end + 1 < lines.length && lines[end + 1].trim() && lines[end + 1] !== '}') end++;
        const at = item.line - 1;
        return (at >= start && at <= end) || calledBy(lines, lines.slice(start, end + 1)).some(f => f.has(at));
    }

    // The line of explain(WHY), or -1: the last one before the step, or else the first one.
    function explainLine(lines, item) {
        const begin = JSON.stringify(item.why).slice(0, 25);
        const found = lines.map((_, i) => i)
            .filter(i => /\bexplain\($/.test(lines[i].trim()) ? (lines[i + 1] || '').includes(begin)
                : lines[i].includes(`explain(${begin}`));
        const before = found.filter(i => i < item.line);
        return before.length ? before.pop() : found.length ? found[0] : -1;
    }

    // The functions of the file that these lines call, and those that these call.
    function calledBy(lines, text) {
        const functions = functionsOf(lines), called = new Set();
        for (const queue = [text.join('\n')]; queue.length;) {
            const body = queue.pop();
            for (const f of functions)
                if (!called.has(f) && new RegExp(`\\b${f.name}\\(`).test(body)) {
                    called.add(f);
                    queue.push(lines.slice(f.first, f.last).join('\n'));
                }
        }
        return [...called];
    }

    // In our style a body is between "{" and "}" in the first column.
    function functionsOf(lines) {
        const functions = [];
        for (let first = 0; first < lines.length; first++) {
            if (lines[first] !== '{') continue;
            let head = first - 1;
            while (head > 0 && /^\s/.test(lines[head])) head--;
            const name = (/(\w+)\(/.exec(lines[head]) || [])[1], end = lines.indexOf('}', first);
            const last = end < 0 ? lines.length : end;
            if (name) functions.push({ name, first, last, has: at => at >= first && at <= last });
        }
        return functions;
    }

    function showOpening(story) {
        $('says').textContent = data.question ? 'Question' : data.title;
        $('why').textContent = data.question || `${story.processes.map((_, p) => nameOf(story, p)).join(', ')}`;
        $('lost').textContent = '';
    }

    function showCaption(story, item) {
        const caption = $('caption');
        caption.className = '';
        if (item.kind === 'start') return showOpening(story);
        const says = $('says');
        says.textContent = '';
        if (item.kind === 'fold') {
            says.textContent = `Steps ${item.first} to ${item.last} are not shown`;
            $('why').textContent = `${factsOf(item, 'count').map(fact => fact[1] + ' times: ')}${item.text}`;
        } else {
            caption.className = story.processes[item.p].side;
            says.append(el('b', '', nameOf(story, item.p)), ` ${VERBS[item.kind] || ''} `);
            says.append(el('code', '', spoken(story, item)));
            const cause = because(story, item);
            if (cause) says.append(el('small', '', cause));
            $('why').textContent = explains(item) ? item.why : '';
        }
        const lost = factsOf(item, 'lost').map(fact => fact[1]);
        const harmless = [...factsOf(item, 'left').map(fact => fact[1]),
            ...factsOf(item, 'coalesced').map(fact => `${fact[1]} signals became one.`)];
        const last = here.at === story.items.length - 1;
        $('lost').textContent = [...lost, ...harmless].join(' ');
        $('lost').className = lost.length ? '' : 'harmless';
        caption.classList.toggle('loss', lost.length > 0);
        if (last && story.claim) $('why').textContent = `Answer: ${story.claim}.`;
        fitCaption();
    }

    // The caption has a fixed height, so that nothing jumps. A long text is smaller.
    function fitCaption() {
        const caption = $('caption');
        caption.classList.remove('long', 'longer');
        for (const size of ['long', 'longer'])
            if (caption.scrollHeight > caption.clientHeight) caption.classList.add(size);
        caption.scrollTop = 0;
    }

    // ---- one side: its processes, source and output

    const howClass = how => (how === '' ? 'absent' : how.split(' ')[0]);
    const HOW_WORDS = { '': 'not started', 'ended ?': 'ended: how is unknown' };

    function showProcess(story, p, now) {
        const row = el('div', `process ${howClass(now.how)}`);
        row.dataset.p = p + 1;
        const how = el('span', 'how');
        how.append(icon(howClass(now.how)), now.lost ? 'wakeup lost' :
            HOW_WORDS[now.how] || now.how.replace('exit status ', 'with '));
        row.classList.toggle('loss', now.lost);
        how.dataset.how = now.how;
        row.append(el('span', 'name', nameOf(story, p)), how);
        if (story.processes.filter(other => other.side === story.processes[p].side).length === 1)
            row.firstChild.append(' ', el('span', 'pid', story.processes[p].pid));
        row.append(showSigusr1(now));
        return row;
    }

    function showSigusr1(now) {
        const usr1 = el('span', 'usr1');
        usr1.append(el('span', 'more', 'SIGUSR1'));
        const put = (name, on, ...words) => {
            const mark = el('span', on ? `${name} on` : name);
            mark.append(icon(name), ...words);
            usr1.append(mark);
        };
        if (!now.how) usr1.append(' ');
        else if (now.mask === 'blocked') put('blocked', true, 'blocked');
        else put('open', false, { default: 'open, would kill', ignored: 'ignored' }[now.action] || 'open');
        if (now.pending) put('pending', true, now.mask === 'blocked' ? 'pending' : 'arriving');
        if (now.how) put('taken', now.taken > 0, el('span', 'more', 'taken '), now.taken);
        Object.assign(usr1.dataset, { action: now.action, mask: now.mask, pending: now.pending, taken: now.taken });
        return usr1;
    }

    const sources = new Map();
    for (const pre of document.querySelectorAll('pre[data-file]'))
        sources.set(pre.dataset.file, pre.textContent.replace(/\n$/, '').split('\n'));

    // Builds the lines of FILE, unless they stand there already.
    function showFile(box, file) {
        if (box.dataset.file === file) return;
        box.dataset.file = file;
        box.textContent = '';
        if (!sources.has(file)) {
            if (file) box.append(el('p', '', `The source ${file} is not here. scripts/replay --source FILE adds it.`));
            return;
        }
        sources.get(file).forEach((text, i) => {
            const line = el('div', '', '');
            text.trimStart().split(/(?<=\w\()(?=\S{12})|(?<=\w{14}\()(?=\S)|(?=->)/).forEach((piece, k) => {
                if (k) line.append(el('wbr'));
                if (piece.startsWith('->')) line.append(el('span', 'arrow', '->'), piece.slice(2));
                else line.append(piece);
            });
            if (!text.trim()) line.textContent = ' ';
            line.dataset.line = i + 1;
            line.style.setProperty('--indent', text.length - text.trimStart().length);
            box.append(line);
        });
    }

    // Of the processes of a side, the one that acted last, or the one that acts first.
    function leaderOf(story, side) {
        let leader = -1;
        for (let i = 1; i < story.items.length && (i <= here.at || leader < 0); i++) {
            const { p } = story.items[i];
            if (p >= 0 && story.processes[p].side === side) leader = p;
        }
        return leader;
    }

    function showSource(story, side, state, item) {
        const box = $(side).querySelector('.source');
        const leader = leaderOf(story, side);
        const file = leader < 0 ? '' : state.processes[leader].file || story.items[story.processes[leader].first].file;
        showFile(box, file);
        for (const line of box.querySelectorAll('.lit')) {
            line.className = '';
            delete line.dataset.who;
        }
        let target = null;
        state.processes.forEach((now, p) => {
            if (story.processes[p].side !== side || now.file !== file || !sources.has(file)) return;
            const line = box.children[now.line - 1];
            if (!line || (now.how.startsWith('ended') && p !== leader && p !== item.p)) return;
            const acts = p === item.p || (line.classList.contains('lit') && !line.classList.contains('quiet'));
            line.className = acts ? 'lit' : 'lit quiet';
            line.classList.toggle('wide', line.textContent.length > 60);
            if (story.processes[p].lane || line.dataset.who)
                line.dataset.who = [line.dataset.who, nameOf(story, p)].filter(Boolean).join(', ');
            if (p !== leader) return;
            line.classList.add('lead');
            target = line;
        });
        box.scrollTop = target ? target.offsetTop - (box.clientHeight - target.offsetHeight) / 2 : 0;
    }

    function showPrinted(story, side, state) {
        const box = $(side).querySelector('.printed');
        const lines = [];
        state.processes.forEach((now, p) => {
            if (story.processes[p].side === side) lines.push(...now.printed.map(line => ({ p: p + 1, ...line })));
        });
        lines.sort((a, b) => a.at - b.at);
        box.textContent = '';
        if (!lines.length) box.append(el('p', 'none', 'nothing printed yet'));
        const several = story.processes.filter(process => process.side === side).length > 1;
        for (const { p, text, at } of lines) {
            const line = el('p', at === here.at ? 'new' : '', '');
            if (several) line.append(el('b', '', `${nameOf(story, p - 1).replace(side + ' ', '')} `));
            line.append(bare(text, side));
            Object.assign(line.dataset, { p, text });
            box.append(line);
        }
        box.scrollTop = box.scrollHeight;
    }

    function showSide(story, side, state, item) {
        const box = $(side).querySelector('.processes');
        const mine = story.processes.map((_, p) => p).filter(p => story.processes[p].side === side);
        box.textContent = '';
        box.classList.toggle('many', mine.length > 2);
        $(side).classList.toggle('sleeps', leaderOf(story, side) >= 0 &&
            state.processes[leaderOf(story, side)].how === 'asleep');
        for (const p of mine) box.append(showProcess(story, p, state.processes[p]));
        const acting = box.querySelector(`[data-p="${item.p + 1}"]`);
        if (acting) box.scrollTop = acting.offsetTop - box.offsetTop - box.clientHeight / 2;
        showSource(story, side, state, item);
        showPrinted(story, side, state);
    }

    // ---- the segment

    // A word that no step has written is 0, unless a process wrote it that has no trace, or before the trace.
    function showWriter(story, writer, value) {
        if (!writer) return el('dd', 'writer', /^0$|\(0\)$/.test(value) ? 'not written yet' : 'written in no step');
        const { p } = story.items[itemOf(story, writer)];
        if (p < 0) return el('dd', 'writer', `step ${writer}`);
        return el('dd', `writer ${story.processes[p].side}`, `${nameOf(story, p)}, step ${writer}`);
    }

    // The words have the same order in each run: then nothing jumps when the variant is chosen.
    function wordOrder(story) {
        const rank = name => (runs[0].words.includes(name) ? runs[0].words.indexOf(name) : runs[0].words.length);
        return [...story.words].sort((a, b) => rank(a) - rank(b));
    }

    function showWords(story, state, item) {
        const box = $('words');
        const looked = item.kind === 'observe' ? item.text.replace(/^observe /, '').split(' = ')[0] : '';
        let target = null;
        box.textContent = '';
        for (const name of wordOrder(story)) {
            const w = story.words.indexOf(name), now = state.words.get(w + 1);
            if (!now) continue;
            const word = el('div', 'word');
            Object.assign(word.dataset, { w: w + 1, value: now.value, writer: now.writer });
            if (now.at === here.at && item.kind !== 'observe') word.classList.add('new');
            if (name === looked) word.classList.add('seen');
            if (word.className !== 'word') target = word;
            const value = el('dd', 'value', now.value);
            word.append(el('dt', '', name), value, showWriter(story, now.writer, now.value));
            box.append(word);
        }
        if (target) box.scrollTop = target.offsetTop - box.offsetTop - (box.clientHeight - target.offsetHeight) / 2;
    }

    // ---- the timeline: a lane for each process, the segment between the two sides, a column for each item

    function lanesOf(story) {
        const of = side => story.processes.map((_, p) => p).filter(p => story.processes[p].side === side);
        return [...of('listener'), -1, ...of('talker')];
    }

    // Draws items first to last. Sizes are in pixels; with a gutter, names and numbers stand there too.
    function drawTime(story, size, first, last) {
        const lanes = lanesOf(story), gutter = size.gutter || 0;
        const x = i => gutter + (Math.min(Math.max(i, first - 0.5), last + 0.5) - first + 0.5) * size.step;
        const y = p => (lanes.indexOf(p) + 0.5) * size.lane;
        const width = gutter + (last - first + 1) * size.step, height = lanes.length * size.lane + (gutter ? 12 : 0);
        const svg = draw('svg', { class: 'time', width, height, viewBox: `0 0 ${width} ${height}` });
        const radius = Math.min(size.step * 0.28, size.lane * 0.2);
        const view = { story, size, first, last, x, y, svg, height, radius };
        svg.append(draw('line', { class: 'bed', x1: gutter, x2: width, y1: y(-1), y2: y(-1) }));
        story.processes.forEach((_, p) => drawLife(view, p));
        for (let i = Math.max(first, 1); i <= last; i++) drawItem(view, i);
        for (let i = 1; i < story.items.length; i++) drawSignal(view, i);
        if (gutter) drawNames(view, lanes);
        return svg;
    }

    function drawNames(view, lanes) {
        const { story, first, last, x, y, svg, height } = view;
        const write = (text, at) => svg.append(draw('text', at, text));
        for (const p of lanes) {
            const side = p < 0 ? '' : story.processes[p].side;
            write(p < 0 ? 'segment' : nameOf(story, p), { class: `label ${side}`, x: 0, y: y(p) + 4, 'font-size': 11 });
        }
        for (let i = Math.max(first, 1); i <= last; i++)
            if (i % 5 === 0) write(story.items[i].last, { x: x(i), y: height - 2, 'font-size': 9 });
    }

    function drawLife(view, p) {
        const { story, x, y, svg, size } = view;
        const { side } = story.processes[p];
        const states = item => factsOf(item, 'state').filter(([, q]) => q - 1 === p);
        const last = story.items.findIndex(item => states(item).some(([, , how]) => how.startsWith('ended')));
        const start = x(story.processes[p].first), end = last < 0 ? story.items.length - 1 : last;
        let bed = 0;
        svg.append(draw('line', { class: `life ${side}`, x1: start, x2: x(end), y1: y(p), y2: y(p) }));
        const sleep = (from, to) => svg.append(draw('rect', { class: `asleep ${side}`, x: x(from),
            y: y(p) - size.lane * 0.26, width: Math.max(0, x(to) - x(from)), height: size.lane * 0.52, rx: 3 }));
        for (let i = 1; i <= end; i++)
            for (const [, , how] of states(story.items[i])) {
                if (bed) sleep(bed, i);
                bed = how === 'asleep' ? i : 0;
            }
        if (bed) sleep(bed, end);
    }

    function drawItem(view, i) {
        const { story, x, y, svg, radius, size, height } = view;
        const item = story.items[i];
        if (item.kind === 'fold') {
            const x1 = x(i) - size.step * 0.35;
            svg.append(draw('rect', { class: 'fold', x: x1, y: 0, width: size.step * 0.7, height }));
            svg.append(draw('text', { x: x(i), y: y(-1) + size.step * 0.3, 'font-size': size.step * 0.7 }, '\u22ef'));
            return;
        }
        if (item.p < 0) return;
        const { side } = story.processes[item.p];
        if (item.kind === 'publish' || item.kind === 'observe')
            svg.append(draw('line', { class: 'word-line', x1: x(i), x2: x(i), y1: y(item.p), y2: y(-1) }));
        if (item.kind === 'publish')
            svg.append(draw('rect', { class: `dot ${side}`, x: x(i) - radius, y: y(item.p) - radius,
                width: 2 * radius, height: 2 * radius }));
        else
            svg.append(draw('circle', { class: `${item.kind === 'observe' ? 'observe' : 'dot'} ${side}`,
                cx: x(i), cy: y(item.p), r: item.kind === 'observe' ? radius * 0.9 : radius }));
        if (factsOf(item, 'lost').length || factsOf(item, 'left').length) drawLoss(view, i);
        for (const [, from, what] of factsOf(item, 'link'))
            if (what === 'fork')
                svg.append(draw('line', { class: `arrow ${side}`, x1: x(itemOf(story, Number(from))),
                    y1: y(story.items[itemOf(story, Number(from))].p), x2: x(i), y2: y(item.p) }));
    }

    // Arrows from each kill that item i takes.
    function drawSignal(view, i) {
        const { story, first, last } = view;
        const item = story.items[i];
        if (item.p < 0) return;
        for (const [, from, what] of factsOf(item, 'link')) {
            const sent = itemOf(story, Number(from));
            if (what !== 'signal' || story.items[sent].p < 0 || i < first || sent > last) continue;
            drawArrow(view, sent, i, item.p);
        }
    }

    function drawArrow(view, from, to, p) {
        const { story, x, y, svg, radius } = view;
        const side = story.processes[story.items[from].p].side;
        const x1 = x(from), y1 = y(story.items[from].p), x2 = x(to), y2 = y(p);
        const length = Math.hypot(x2 - x1, y2 - y1) || 1, u = (x2 - x1) / length, v = (y2 - y1) / length;
        const tipX = x2 - u * radius, tipY = y2 - v * radius, h = radius * 1.6;
        const point = (along, across) => `${tipX - u * along - v * across},${tipY - v * along + u * across}`;
        svg.append(draw('line', { class: `arrow ${side}`, x1, y1, x2: tipX - u * h, y2: tipY - v * h }));
        const points = [`${tipX},${tipY}`, point(h * 1.3, h * 0.6), point(h * 1.3, -h * 0.6)].join(' ');
        svg.append(draw('polygon', { class: `head ${side}`, points }));
    }

    // The process that item i signals, or -1.
    function targetOf(story, item) {
        const pid = (item.text.match(/^(?:kill|sigqueue)\((\d+),/) || [])[1];
        return story.processes.findIndex(process => process.pid === pid);
    }

    // A signal that was never taken: an arrow that ends at a cross, or at a ring if it did no harm. A sleep that lost
    // its wakeup: a cross.
    function drawLoss(view, i) {
        const { story, x, y, svg, radius, size } = view;
        const item = story.items[i], to = targetOf(story, item);
        const { side } = story.processes[item.p];
        let cx = x(i), cy = y(item.p) - size.lane * 0.25;
        const arm = radius * 1.6;
        if (to >= 0) {
            cx = x(i) + size.step * 0.5;
            cy = y(item.p) + (y(to) - y(item.p)) * 0.75;
            svg.append(draw('line', { class: `arrow ${side}`, x1: x(i), y1: y(item.p), x2: cx, y2: cy }));
        }
        if (!factsOf(item, 'lost').length)
            svg.append(draw('circle', { class: `left ${side}`, cx, cy, r: radius }));
        else for (const turn of [1, -1])
            svg.append(draw('line', { class: 'cross', x1: cx - arm, x2: cx + arm,
                y1: cy - arm * turn, y2: cy + arm * turn }));
    }

    const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

    function trackSize() {
        const lanes = lanesOf(run()).length;
        const lane = Math.min(1.9, 7.5 / lanes) * rem();
        return { step: Math.max(1.15 * rem(), Math.min(3 * rem(), $('track').clientWidth / run().items.length)), lane };
    }

    function buildTrack() {
        const story = run(), track = $('track'), lanes = $('lanes');
        lanes.textContent = '';
        const heads = lanesOf(story).map(p => {
            const head = el('p', p < 0 ? '' : story.processes[p].side, p < 0 ? 'segment' : nameOf(story, p));
            lanes.append(head);
            return head;
        });
        const size = here.size = trackSize();
        for (const head of heads) head.style.height = `${size.lane}px`;
        track.textContent = '';
        const svg = drawTime(story, size, 0, story.items.length - 1);
        const height = svg.getAttribute('height');
        svg.append(draw('rect', { class: 'hidden-future', id: 'future', y: 0, height, x: 0, width: 0 }));
        svg.append(draw('rect', { class: 'cursor', id: 'cursor', y: 0, height, width: size.step }));
        svg.append(draw('line', { class: 'edge', id: 'edge', y1: 0, y2: height }));
        track.append(svg);
        track.setAttribute('aria-valuemin', 0);
        track.setAttribute('aria-valuemax', story.items[story.items.length - 1].last);
    }

    function showTrack(story, item) {
        const track = $('track'), { step } = here.size, x = here.at * step;
        $('cursor').setAttribute('x', x);
        $('edge').setAttribute('x1', x + step / 2);
        $('edge').setAttribute('x2', x + step / 2);
        $('future').setAttribute('x', (here.seen + 1) * step);
        $('future').setAttribute('width', here.asking ? story.items.length * step : 0);
        track.scrollLeft = x - track.clientWidth * 0.6;
        track.setAttribute('aria-valuenow', item.last);
        track.setAttribute('aria-valuetext', `step ${item.last}`);
    }

    // ---- the whole stage

    function showBar(story, item) {
        const last = story.items[story.items.length - 1].last;
        $('title').textContent = data.title;
        $('count').textContent = here.asking ? `step ${item.last}` : `step ${item.last} of ${last}`;
        $('asked').textContent = here.asking ? data.question : '';
        document.body.classList.toggle('asking', here.asking);
        $('ask').setAttribute('aria-pressed', here.asking);
        $('play').textContent = timer ? 'Stop' : 'Play';
        $('missing').hidden = !story.missing.length;
        $('missing').textContent = story.missing.length ? `Note: ${story.missing.join(' ')}` : '';
        for (const button of $('runs').children) button.setAttribute('aria-pressed', Number(button.value) === here.run);
    }

    function show() {
        const story = run(), item = story.items[here.at], state = stateAt(story, here.at);
        showBar(story, item);
        showCaption(story, item);
        if (here.asking && here.at === here.asked) showAsked();
        for (const side of SIDES) showSide(story, side, state, item);
        showWords(story, state, item);
        showTrack(story, item);
        clearTimeout(addressTimer);
        addressTimer = setTimeout(showAddress, 200);
    }

    // A browser refuses when a page changes its address too often, so this happens after the last of many steps.
    function showAddress() {
        const address = `#step=${run().items[here.at].last}${here.run ? '&run=' + (here.run + 1) : ''}`;
        if (location.hash !== address) history.replaceState(null, '', address);
    }

    function go(at) {
        here.at = Math.max(0, Math.min(at, run().items.length - 1));
        here.seen = Math.max(here.seen, here.at);
        show();
        if (timer && here.at === run().items.length - 1) stop();
    }

    function stop() {
        clearInterval(timer);
        timer = 0;
        showBar(run(), run().items[here.at]);
    }

    // While the future is hidden, a key reveals one step.
    function play() {
        if (timer) return stop();
        if (here.asking) return go(here.at + 1);
        timer = setInterval(() => go(here.at + 1), PLAY_EVERY);
        go(here.at === run().items.length - 1 ? 0 : here.at + 1);
    }

    function ask() {
        if (timer) stop();
        here.asking = !here.asking;
        here.seen = here.at;
        here.asked = here.at;
        show();
    }

    // Stands in place of the caption until the next step, in every size of the window.
    function showAsked() {
        $('asked').textContent = '';
        $('caption').className = '';
        $('says').textContent = 'What happens next?';
        $('why').textContent = data.question || 'What does each process do now?';
        $('lost').textContent = '';
        fitCaption();
    }

    function zoom(factor) {
        here.scale = Math.min(2, Math.max(0.6, here.scale * factor));
        document.documentElement.style.setProperty('--scale', here.scale);
        resize();
    }

    function resize() {
        buildTrack();
        show();
    }

    function paint(theme) {
        document.documentElement.dataset.theme = theme;
        $('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
    }

    function toggleTheme() {
        here.theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
        paint(here.theme);
    }

    function help() {
        const box = $('help');
        box.hidden = !box.hidden;
        $('keys').setAttribute('aria-expanded', !box.hidden);
        (box.hidden ? $('keys') : box).focus();
        if (box.hidden) $('keys').blur();
    }

    const KEYS = {
        ArrowLeft: () => go(here.at - 1), PageUp: () => go(here.at - 1),
        ArrowRight: () => go(here.at + 1), PageDown: () => go(here.at + 1),
        Home: () => go(0), End: () => go(run().items.length - 1),
        ' ': play, p: ask, w: () => switchRun((here.run + 1) % runs.length), d: toggleTheme,
        '+': () => zoom(1.1), '=': () => zoom(1.1), '-': () => zoom(1 / 1.1), '?': help,
        Escape: () => { if (!$('help').hidden) help(); }
    };

    function onKey(event) {
        const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
        if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(KEYS, key)) return;
        if (key === ' ' && event.target.tagName === 'BUTTON') return; // the button has its own use for it
        event.preventDefault();
        if (timer && key !== ' ' && key !== '+' && key !== '-') stop();
        KEYS[key]();
    }

    function readAddress() {
        const step = /[#&]step=(\d{1,9})/.exec(location.hash), other = /&run=(\d)/.exec(location.hash);
        if (other && runs[other[1] - 1]) here.run = other[1] - 1;
        here.at = step ? itemOf(run(), Number(step[1])) : 0;
        here.seen = here.at;
    }

    function onClick(id, act) {
        $(id).addEventListener('click', event => {
            if (event.detail) $(id).blur(); // a mouse: the space key is to play, not to press this button again
            act();
        });
    }

    function buildRuns() {
        runs.forEach((story, i) => {
            if (runs.length < 2) return;
            const button = el('button', '', story.label);
            button.value = i;
            button.id = `run${i + 1}`;
            $('runs').append(button);
            onClick(button.id, () => switchRun(i));
        });
    }

    // ---- the diagrams on paper, in rows

    function drawDiagrams() {
        for (const place of document.querySelectorAll('.diagram')) {
            const story = runs[place.dataset.run];
            const last = Math.min(story.items.length - 1, Number(place.dataset.most) || Infinity);
            const size = { step: 17, gutter: 90, lane: Math.min(24, 130 / lanesOf(story).length) }, per = 35;
            for (let first = 0; first <= last; first += per)
                place.append(drawTime(story, size, first, Math.min(first + per - 1, last)));
            if (last < story.items.length - 1) place.append(el('p', '', 'Its replay shows the rest.'));
        }
    }

    // ---- it begins

    drawDiagrams();
    if (!data.stage) return; // only paper
    document.documentElement.classList.add('js');
    $('app').hidden = false;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    paint(dark.matches ? 'dark' : 'light');
    dark.addEventListener('change', () => { if (!here.theme) paint(dark.matches ? 'dark' : 'light'); });
    buildRuns();
    onClick('back', () => go(here.at - 1));
    onClick('next', () => go(here.at + 1));
    onClick('play', play);
    onClick('ask', ask);
    onClick('theme', toggleTheme);
    onClick('keys', help);
    $('track').addEventListener('click', event => {
        go(Math.floor((event.clientX - $('track').querySelector('svg').getBoundingClientRect().left) / here.size.step));
    });
    addEventListener('keydown', onKey);
    addEventListener('hashchange', () => { readAddress(); resize(); });
    addEventListener('resize', resize);
    readAddress();
    resize();
})();
