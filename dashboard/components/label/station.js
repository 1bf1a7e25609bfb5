// One large point or a grid, and its keys. The server decides what is shown: nothing moves before an answer is kept.
const pictures = new Map();  // id → address of its picture, for as long as the page is open
const MOST_PICTURES = 200, SLOW_MS = 5000;
const TYPING = 'textarea, select, [contenteditable="true"], [role="textbox"], [role="combobox"], '
  + 'input:not([type="radio"], [type="checkbox"], [type="button"], [type="submit"])';
const OWN_ARROWS = 'input[type="radio"], [role="radio"], [role="tab"], [role="slider"], [role="menuitem"], [role="option"]';
const stations = new WeakMap();

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function keepPictures(found) {
  for (const [id, url] of Object.entries(found)) {
    pictures.delete(id);
    pictures.set(id, url);
    const image = new Image();
    image.src = url;
    image.decode().catch(() => null);  // so that it is ready to draw when its turn comes
  }
  for (const id of pictures.keys()) {
    if (pictures.size <= MOST_PICTURES) break;
    pictures.delete(id);
  }
}

class Station {
  constructor(root) {
    this.root = root;
    this.marks = new Set();
    for (const button of root.querySelectorAll('.moves button'))
      button.addEventListener('click', () => this.do(button.dataset.does));
    root.querySelector('.type').addEventListener('submit', event => {
      event.preventDefault();
      this.type();
    });
    root.querySelector('.type input').addEventListener('keydown', event => {
      if (event.key === 'Escape') root.focus({preventScroll: true});
    });
  }

  get at() { return this.data.points.find(point => point.id === this.data.item); }

  meant() {  // the points that an answer is for
    return this.marks.size ? [...this.marks] : this.data.item ? [this.data.item] : [];
  }

  send(message) {
    if (this.busy) return;
    this.busy = true;
    this.root.setAttribute('aria-busy', 'true');
    clearTimeout(this.slow);
    this.slow = setTimeout(() => {
      this.free();
      this.say('The server does not answer: nothing was kept of the last press. Press again when the page is back.', true);
    }, SLOW_MS);
    const seen = Object.fromEntries(this.data.points.map(point => [point.id, point.label]));
    this.answered = message.does === 'answer' || message.does === 'skip';
    this.tell('told', {...message, seen, have: [...pictures.keys()]});
  }

  free() {
    clearTimeout(this.slow);
    this.busy = false;
    this.root.removeAttribute('aria-busy');
  }

  answer(text) {
    const items = this.meant();
    if (items.length) this.send({does: 'answer', items, text});
  }

  type() {
    const input = this.root.querySelector('.type input'), text = input.value.trim();
    if (!text) return;
    this.typed = text;
    this.answer(text);
  }

  do(what) {
    if (what === 'skip') {
      const items = this.meant();
      if (items.length) this.send({does: 'skip', items});
    } else if (what === 'undo') {
      if (this.data.undo) this.send({does: 'undo', text: this.data.undo});
    } else if (what === 'all') {
      const open = this.data.points.filter(point => point.label === null && !point.skipped).map(point => point.id);
      this.marks = new Set(this.marks.size === open.length ? [] : open);
      this.paintSheet();
    } else this.send({does: what});
  }

  mark(id) {
    if (!this.marks.delete(id)) this.marks.add(id);
    this.paintSheet();
  }

  pressed(event) {
    const target = event.composedPath()[0], input = this.root.querySelector('.type input');
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.root.isConnected || !this.root.getClientRects().length) return;
    if (target.closest?.('[role="dialog"], [data-baseweb="popover"]')) return;
    const number = this.data.numbers && target === input;  // there a letter is no part of what is typed
    const arrow = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
    if (target.closest?.(TYPING) && !(number && (arrow ? !input.value : 'szax'.includes(event.key)))) return;
    if (arrow && target.closest?.(OWN_ARROWS)) return;
    const does = {s: 'skip', z: 'undo', ArrowLeft: 'back', ArrowRight: 'forward'}[event.key];
    const found = this.data.numbers ? null : this.data.classes.find(each => each.key && each.key === event.key);
    if (found) this.answer(found.name);
    else if (does) this.do(does);
    else if (event.key === 'n') input.focus();
    else if (this.data.grid && event.key === 'x' && this.data.item) this.mark(this.data.item);
    else if (this.data.grid && event.key === 'a') this.do('all');
    else return;
    event.preventDefault();
  }

  take(data, tell) {
    const first = !this.data, moved = first || this.data.item !== data.item;
    this.data = data;
    this.tell = tell;
    this.free();
    keepPictures(data.pictures);
    const here = new Set(data.grid && !(this.answered && !data.problem) ? data.points.map(point => point.id) : []);
    this.marks = new Set([...this.marks].filter(id => here.has(id)));
    this.answered = false;
    if (this.typed !== undefined && !data.problem) {
      const input = this.root.querySelector('.type input');
      if (input.value.trim() === this.typed) input.value = '';
      if (!data.numbers) this.root.focus({preventScroll: true});
      this.typed = undefined;
    }
    this.paint();
    if (first && !document.activeElement?.closest?.(TYPING)) this.root.focus({preventScroll: true});
    if (moved && data.numbers && data.item) this.root.querySelector('.type input').focus({preventScroll: true});
    const missing = data.points.some(point => point.picture && !pictures.has(point.id));
    if (missing) this.send({does: 'look'});
  }

  say(text, problem) {
    const note = this.root.querySelector('.note');
    note.textContent = text;
    note.classList.toggle('problem', problem);
  }

  paint() {
    const {root, data} = this, find = name => root.querySelector(name);
    root.classList.toggle('numbers', data.numbers);
    find('.count').textContent = data.count;
    find('.pace').textContent = data.pace;
    find('.bar i').style.width = `${100 * data.done / Math.max(1, data.total)}%`;
    find('.bar').setAttribute('aria-valuemax', data.total);
    find('.bar').setAttribute('aria-valuenow', data.done);
    this.say(data.problem || data.note, !!data.problem);
    find('.one').hidden = data.grid;
    find('.sheet').hidden = !data.grid;
    for (const part of root.querySelectorAll('.of-sheet')) part.hidden = !data.grid;
    if (data.grid) this.paintSheet();
    else this.paintOne();
    this.paintClasses();
    const input = find('.type input'), what = data.numbers ? 'Type the number' : 'Type another class';
    input.placeholder = data.numbers ? what : `${what} (n)`;
    input.setAttribute('aria-label', what);
    input.inputMode = data.numbers ? 'decimal' : 'text';
    find('.type button').textContent = data.numbers ? 'Enter' : 'Give it';
    find('datalist').replaceChildren(...(data.names.map(name => element('option', {value: name}))));
    find('.guess').textContent = this.at?.guess ? `The model so far says: ${this.at.guess}` : '';
    const undo = find('[data-does="undo"]');
    undo.disabled = !data.undo;
    undo.title = undo.lastElementChild.textContent = data.undo ? `Undo: ${data.undo}` : 'Nothing to undo';
    for (const name of ['skip', 'forward', 'all']) find(`[data-does="${name}"]`).disabled = !data.item;
    find('.legend').textContent = data.legend;
  }

  paintClasses() {
    const {data} = this, area = this.root.querySelector('.classes'), label = this.marks.size ? null : this.at?.label;
    area.hidden = data.numbers;
    const names = JSON.stringify(data.classes.map(each => [each.name, each.key]));
    if (this.names !== names) {  // buttons that are there stay, and keep the focus
      this.names = names;
      area.replaceChildren(...data.classes.map(each => {
        const button = element('button', {type: 'button'},
          element('kbd', {textContent: each.key, hidden: !each.key}),
          element('span', {className: 'name', textContent: each.name}), element('span', {className: 'number'}));
        button.addEventListener('click', () => this.answer(each.name));
        return button;
      }));
    }
    data.classes.forEach((each, place) => {
      const button = area.children[place];
      button.lastElementChild.textContent = each.count || '';
      button.disabled = !data.item;
      button.setAttribute('aria-pressed', String(label === each.name));
    });
  }

  picture(point) {
    return element('img', {src: pictures.get(point.id) ?? '', alt: `Picture of ${point.id}`,
      className: this.data.tiny ? 'tiny' : ''});
  }

  table(columns) {
    const row = ([name, value]) => element('tr', {}, element('th', {textContent: name, scope: 'row'}),
      element('td', {textContent: value}));
    return element('table', {}, ...columns.map(row));
  }

  paintOne() {
    const view = this.root.querySelector('.view'), caption = this.root.querySelector('figcaption'), point = this.at;
    caption.replaceChildren();
    view.removeAttribute('tabindex');
    if (!point) {
      view.replaceChildren(element('p', {className: 'text', textContent: this.data.empty}));
      return;
    }
    const key = JSON.stringify([point.id, point.picture && pictures.has(point.id)]);
    if (this.shown !== key) {
      this.shown = key;
      if (point.picture) view.replaceChildren(this.picture(point));
      else if (point.text !== null) view.replaceChildren(element('p', {className: 'text', textContent: point.text, dir: 'auto'}));
      else view.replaceChildren(this.table(point.columns));
      view.scrollTop = 0;
    }
    if (!point.picture) Object.assign(view, {tabIndex: 0});  // so that the keyboard can scroll a long text
    const said = point.said ? [element('span', {className: 'mark', textContent: `${point.said} · `})] : [];
    const rest = point.picture || point.text !== null ? point.columns.map(([name, value]) => `${name}: ${value}`) : [];
    caption.append(...said, [point.place, ...rest].join(' · '));
  }

  cell(point) {
    const shown = point.picture ? this.picture(point)
      : element('span', {className: 'text', dir: 'auto',
        textContent: point.text ?? point.columns.map(([name, value]) => `${name}: ${value}`).join('\n')});
    const cell = element('button', {type: 'button', className: 'cell'}, shown, element('span', {className: 'said'}));
    cell.addEventListener('click', () => this.mark(point.id));
    return cell;
  }

  paintSheet() {
    const {data} = this, sheet = this.root.querySelector('.sheet');
    const key = JSON.stringify(data.points.map(point => [point.id, point.picture && pictures.has(point.id)]));
    if (this.cells !== key) {  // cells that are there stay, and keep the focus
      this.cells = key;
      sheet.replaceChildren(...data.points.map(point => this.cell(point)));
    }
    data.points.forEach((point, place) => {
      const cell = sheet.children[place], said = point.said || 'no answer yet';
      cell.lastElementChild.textContent = !point.said && point.guess ? `guess: ${point.guess}` : said;
      cell.setAttribute('aria-label', `${point.id}, ${said}`);
      cell.setAttribute('aria-current', String(point.id === data.item));
      cell.setAttribute('aria-pressed', String(this.marks.has(point.id)));
    });
    if (this.names) this.paintClasses();
  }
}

export default function ({data, parentElement, setTriggerValue}) {
  const root = parentElement.querySelector('.station');
  const station = stations.get(root) ?? new Station(root);
  stations.set(root, station);
  station.off?.();
  const press = event => station.pressed(event);
  const back = () => { if (document.visibilityState === 'visible' && station.data) station.send({does: 'look'}); };
  document.addEventListener('keydown', press);
  document.addEventListener('visibilitychange', back);
  station.off = () => {
    document.removeEventListener('keydown', press);
    document.removeEventListener('visibilitychange', back);
  };
  root.classList.remove('empty');
  station.take(data, setTriggerValue);
  return station.off;
}
