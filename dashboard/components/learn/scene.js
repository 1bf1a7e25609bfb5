// A scene: its picture, its words and its control. All states are here, so nothing waits for the server.
const scenes = new WeakMap();
const MOVE_MS = 220, TURN_MS = 1800, TURN = -0.8, TELL_MS = 400;
const TYPES = 'textarea, select, [contenteditable="true"], [role="radio"], [role="slider"], [role="combobox"], input:not([type="checkbox"])';

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
const ofDraw = (value, draw) => Array.isArray(value) ? value[draw] : value;

function words(text) {  // **bold** and [[term|what it means]]
  return text.split(/(\*\*.+?\*\*|\[\[.+?\]\])/).map(part => {
    if (part.startsWith('**')) return element('strong', {textContent: part.slice(2, -2)});
    if (!part.startsWith('[[')) return part;
    const [name, means] = part.slice(2, -2).split('|');
    const says = element('span', {className: 'says', role: 'tooltip', textContent: means});
    const term = element('span', {className: 'term', tabIndex: 0}, name, says);
    const side = () => term.classList.toggle('left', term.offsetLeft > term.offsetParent?.clientWidth / 2);
    term.addEventListener('pointerenter', side);
    term.addEventListener('focus', side);
    return term;
  });
}

class Scene {
  constructor(root, {scene, at}) {
    this.root = root;
    this.scene = scene;
    this.find = name => root.querySelector(`.${name}`);
    this.find('paragraph').replaceChildren(...words(scene.paragraph));
    this.find('picture').classList.toggle('upright', scene.upright);
    this.views = scene.views.map(view => new View(view, this.find('picture')));
    this.control();
    this.bars = scene.states[0].bars.map(bar => this.bar(bar));
    this.key(Object.keys(scene.states[0].bars[0].parts));
    this.moves();
    this.at = at;
    this.draw = 0;
    this.views.forEach(view => view.resize());
    this.play();
  }

  control() {
    const {label, values, choice, param} = this.scene.control, holder = this.find('control');
    if (choice) {
      this.inputs = values.map((value, place) => {
        const input = element('input', {type: 'radio', name: param, value});
        input.addEventListener('change', () => this.set(place));
        return input;
      });
      const picks = this.inputs.map(input => element('label', {className: 'pick'}, input, input.value));
      holder.replaceChildren(element('fieldset', {}, element('legend', {textContent: label}), ...picks));
      return;
    }
    this.range = element('input', {type: 'range', id: 'control', min: 0, max: values.length - 1, step: 1});
    this.range.addEventListener('input', () => this.set(Number(this.range.value)));
    this.output = element('output');
    holder.replaceChildren(element('label', {className: 'name', htmlFor: 'control'}, label, this.output), this.range);
  }

  bar({name, parts}) {
    const row = element('div', {className: 'bar'}), head = element('div', {className: 'head'});
    const [text, was] = [element('span', {className: 'text'}), element('span', {className: 'was'})];
    const pieces = Object.keys(parts).map(kind => element('i', {className: kind}));
    pieces.forEach(piece => { piece.style.backgroundColor = this.scene.colours[piece.className]; });
    head.append(element('span', {className: 'name', textContent: name}), element('span', {}, text, was));
    row.append(head, element('div', {className: 'track'}, ...pieces));
    this.find('bars').append(row);
    return {row, text, was, pieces};
  }

  key(kinds) {  // of bars that are made of parts
    if (kinds.length < 2) return;
    const names = kinds.map(kind => {
      const patch = element('i', {className: kind});
      patch.style.backgroundColor = this.scene.colours[kind];
      return element('span', {className: 'legend'}, element('span', {className: 'track'}, patch), kind);
    });
    this.find('bars').append(element('div', {}, ...names));
  }

  moves() {
    const holder = this.find('moves');
    if (this.scene.draws > 1) {
      const again = element('button', {type: 'button', textContent: 'Draw again at random'});
      again.addEventListener('click', () => {
        this.stop();
        this.show(this.at, (this.draw + 1) % this.scene.draws, MOVE_MS);
      });
      holder.append(again);
    }
    const replay = element('button', {type: 'button', className: 'replay', textContent: 'Play again'});
    replay.addEventListener('click', () => this.play());
    holder.append(replay);
  }

  play() {  // what the scene is about, shown once; it ends at what was asked for
    this.stop();
    const {intro, beat} = this.scene, end = this.at;
    if (still()) return this.show(end, this.draw, 0);
    const steps = [...intro, [end, 0]];
    const step = number => {
      const [at, draw] = steps[number], last = number === steps.length - 1;
      this.show(at, draw, number ? Math.min(beat * 0.8, 360) : 0, last);
      if (!last) this.next = setTimeout(step, beat, number + 1);
    };
    for (const view of this.views) if (view.spec.ends.length) this.turn(view);
    this.wanted = end;
    this.root.dataset.playing = 'true';
    step(0);
    return undefined;
  }

  stop() {
    clearTimeout(this.next);
    cancelAnimationFrame(this.turning);
    if (this.root.dataset.playing === 'true') this.at = this.wanted;
    this.root.dataset.playing = 'false';
  }

  turn(view) {
    const began = performance.now();
    const frame = now => {
      const share = Math.min(1, Math.max(0, now - began) / TURN_MS), eased = 1 - (1 - share) ** 3;
      view.turned = this.angle + TURN * (1 - eased);
      view.paint();
      if (share < 1) this.turning = requestAnimationFrame(frame);
    };
    this.angle = view.turned % (2 * Math.PI);
    frame(began);
  }

  set(at) {
    const before = this.bars.map(({text}) => text.textContent);
    this.stop();
    this.show(Math.max(0, Math.min(this.scene.states.length - 1, at)), this.draw, MOVE_MS);
    this.bars.forEach(({text, was}, number) => {
      was.textContent = before[number] === text.textContent ? '' : `was ${before[number]}`;
    });
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tell?.('at', this.at), TELL_MS);
  }

  show(at, draw, ms, last = true) {
    const {scene} = this, state = scene.states[at], value = scene.control.values[at];
    this.at = at;
    this.draw = draw;
    if (last) {
      this.root.dataset.playing = 'false';
      this.find('said').replaceChildren(...words(state.said));
      this.find('picture').setAttribute('aria-label', `${scene.shows} ${state.said.replaceAll('**', '')}`);
    }
    if (this.range) {
      this.range.value = at;
      this.range.setAttribute('aria-valuetext', value);
      this.output.textContent = value;
    } else this.inputs[at].checked = true;
    this.bars.forEach(({row, text, was, pieces}, number) => {
      const bar = state.bars[number];
      row.classList.toggle('now', bar.now);
      text.textContent = ofDraw(bar.text, draw);
      was.textContent = '';
      pieces.forEach(piece => {
        piece.style.width = `${Math.min(1, ofDraw(bar.parts[piece.className], draw) / scene.full) * 100}%`;
      });
    });
    this.views.forEach((view, number) => view.aim(state.moving[number].map(marks => marks.draws ? marks.draws[draw] : marks)));
    this.animate(still() ? 0 : ms);
  }

  animate(ms) {
    cancelAnimationFrame(this.frame);
    const began = performance.now();
    const frame = now => {
      const share = ms ? Math.min(1, Math.max(0, now - began) / ms) : 1, eased = 1 - (1 - share) ** 2;
      for (const view of this.views) {
        view.moving.forEach(layer => layer.move(share === 1 ? 1 : eased));
        view.paint();
      }
      this.root.dataset.moving = String(share < 1);
      if (share < 1) this.frame = requestAnimationFrame(frame);
    };
    frame(began);
  }

  pressed(event) {
    const step = {ArrowUp: 1, ArrowDown: -1}[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPES)) return;
    if (event.composedPath()[0].matches?.('.scene input')) return;  // the control itself has the focus, and moves
    event.preventDefault();
    this.stop();
    this.set(this.at + step);
  }
}

export default function ({data, parentElement, setStateValue}) {
  const root = parentElement.querySelector('.scene');
  const scene = scenes.get(root) ?? new Scene(root, data);
  scenes.set(root, scene);
  scene.off?.();
  scene.tell = setStateValue;
  const press = event => scene.pressed(event), sizes = new ResizeObserver(() => scene.views.forEach(view => view.resize()));
  if (data.large) document.addEventListener('keydown', press);
  scene.views.forEach(view => sizes.observe(view.plot));
  scene.off = () => {
    document.removeEventListener('keydown', press);
    sizes.disconnect();
  };
  return scene.off;
}
