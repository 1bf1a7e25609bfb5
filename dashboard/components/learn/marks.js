// Drawings of a scene: layers of marks that move from where they are to where they belong, on axes, flat or in space.
const SVG = 'http://www.w3.org/2000/svg';
const FILLED = {
  circle: (x, y, r) => `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
  square: (x, y, r) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  diamond: (x, y, r) => `M${x},${y - r}L${x + r},${y}L${x},${y + r}L${x - r},${y}z`,
  triangle: (x, y, r) => `M${x},${y - r}L${x + r},${y + r * 0.8}H${x - r}z`,
  cross: (x, y, r) => `M${x - r},${y - r / 3}h${r * 2 / 3}v${-r * 2 / 3}h${r * 2 / 3}v${r * 2 / 3}h${r * 2 / 3}`
    + `v${r * 2 / 3}h${-r * 2 / 3}v${r * 2 / 3}h${-r * 2 / 3}v${-r * 2 / 3}h${-r * 2 / 3}z`,
};
const STROKED = {line: 2, spread: 1, ring: 2.5};
const TILT = 0.42, REST = -2.2;  // radians that a picture in space is seen from above, and turned by

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function drawing(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function dressed(path, layer) {
  const line = layer.symbol in STROKED;
  path.setAttribute('fill', line ? 'none' : layer.colour);
  path.setAttribute('stroke', line ? layer.colour : 'var(--st-background-color)');
  path.setAttribute('stroke-width', layer.symbol === 'line' ? layer.size : line ? STROKED[layer.symbol] : 2);
  path.setAttribute('paint-order', 'stroke');  // marks on each other stay filled
  path.setAttribute('opacity', layer.opacity);
  if (layer.symbol === 'line') path.setAttribute('stroke-dasharray', '6 5');
  return path;
}

function outline(symbol, pixels, size) {
  const round = value => Math.round(value * 10) / 10;
  if (symbol === 'line') return pixels.map(([x, y], place) => `${place ? 'L' : 'M'}${round(x)},${round(y)}`).join('');
  if (symbol === 'spread') return pixels.map(([x, y, , high]) => `M${round(x)},${round(y - high)}V${round(y + high)}`).join('');
  const shape = FILLED[symbol === 'ring' ? 'circle' : symbol];
  return pixels.map(([x, y, scale]) => shape(round(x), round(y), size * scale)).join('');
}

class Layer {
  constructor(spec) {
    this.spec = spec;
    this.path = dressed(drawing('path', {class: 'layer', 'data-layer': spec.name}), spec);
    this.shown = (spec.marks ?? []).map(at => ({at, scale: 1}));
    this.to = this.from = this.shown;
  }

  aim(marks) {
    this.from = this.shown;
    this.to = marks.map(at => ({at, scale: 1}));
    this.path.dataset.count = marks.length;
  }

  move(share) {  // marks that are new grow where they belong
    this.shown = share === 1 ? this.to : this.to.map(({at, scale}, place) => {
      const old = this.from[place];
      if (!old) return {at, scale: share};
      return {at: at.map((value, axis) => old.at[axis] + (value - old.at[axis]) * share), scale: old.scale + (scale - old.scale) * share};
    });
  }
}

class View {
  constructor(spec, holder) {
    this.spec = spec;
    this.turned = REST;
    this.layers = spec.layers.map(layer => new Layer(layer));
    this.moving = this.layers.filter(layer => layer.spec.marks === null);
    this.svg = drawing('svg', {'aria-hidden': 'true'});
    this.frame = drawing('g');
    this.svg.append(this.frame, ...this.layers.map(layer => layer.path));
    this.plot = element('div', {className: spec.ends.length ? 'plot turns' : 'plot'}, this.svg);
    const names = spec.layers.filter(layer => layer.name).map(layer => this.legend(layer));
    const caption = element('figcaption', {}, element('strong', {textContent: spec.title}), ...names);
    this.figure = element('figure', {}, caption, this.plot);
    this.figure.style.flex = `${spec.share} 1 0`;
    holder.append(this.figure);
    if (spec.ends.length) this.turnable();
  }

  legend(layer) {
    const key = drawing('svg', {viewBox: '0 0 16 16', 'aria-hidden': 'true'}), path = dressed(drawing('path'), layer);
    path.setAttribute('d', layer.symbol === 'line' ? 'M0,8H16'
      : layer.symbol === 'spread' ? 'M8,1V15' : outline(layer.symbol, [[8, 8, 1]], Math.min(layer.size, 6)));
    path.setAttribute('opacity', Math.max(layer.opacity, 0.8));
    key.append(path);
    return element('span', {className: 'legend'}, key, layer.name);
  }

  aim(moving) {
    this.moving.forEach((layer, number) => {
      const base = layer.spec.of === null ? null : this.layers[layer.spec.of].spec.marks;
      layer.aim(base ? moving[number].map(place => base[place]) : moving[number]);
    });
  }

  resize() {
    const {width, height} = this.plot.getBoundingClientRect();
    if (!width || !height) return;
    this.width = width;
    this.height = height;
    this.em = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.frame.replaceChildren();
    if (!this.spec.ends.length) this.axes();
    this.paint();
  }

  text(words, x, y, anchor = 'middle') {
    const made = drawing('text', {x, y, 'text-anchor': anchor});
    made.textContent = words;
    this.frame.append(made);
    return made;
  }

  axes() {
    const {x, y} = this.spec, {width, height, em} = this, wide = y.title || y.ticks.length;
    const left = wide ? (y.title ? 1.5 * em : 0) + (y.ticks.length ? 2.2 * em : 0.5 * em) : 0.5 * em;
    const [right, top, bottom] = [width - 0.8 * em, 0.8 * em, height - 2.9 * em];
    this.x = value => left + (value - x.low) / (x.high - x.low) * (right - left);
    this.y = value => bottom - (value - y.low) / (y.high - y.low) * (bottom - top);
    this.tall = (bottom - top) / (y.high - y.low);
    for (const [value, words] of x.ticks) {
      this.frame.append(drawing('path', {class: 'rule', d: `M${this.x(value)},${top}V${bottom}`}));
      this.text(words, this.x(value), bottom + 1.1 * em);
    }
    for (const [value, words] of y.ticks) {
      this.frame.append(drawing('path', {class: 'rule', d: `M${left},${this.y(value)}H${right}`}));
      this.text(words, left - 0.4 * em, this.y(value) + 0.28 * em, 'end');
    }
    this.text(x.title, (left + right) / 2, bottom + 2.4 * em);
    const middle = (top + bottom) / 2;
    this.text(y.title, em, middle).setAttribute('transform', `rotate(-90 ${em} ${middle})`);
  }

  project([x, y, z]) {  // onto the screen, in units of the data
    const [across, away] = [x * Math.cos(this.turned) - y * Math.sin(this.turned), x * Math.sin(this.turned) + y * Math.cos(this.turned)];
    return [across, z * Math.cos(TILT) + away * Math.sin(TILT)];
  }

  space() {
    const ends = this.spec.ends.map((end, axis) => [0, 1, 2].map(other => other === axis ? end : 0));
    const reach = Math.hypot(this.spec.ends[0], this.spec.ends[1]);
    const high = this.spec.ends[2] * Math.cos(TILT) + 0.6 * reach * Math.sin(TILT);
    const unit = Math.min((this.width - 6 * this.em) / reach, (this.height - 3 * this.em) / high);
    const corners = [[0, 0, 0], ...ends].map(end => this.project(end));
    const middle = [0, 1].map(axis => {
      const found = corners.map(corner => corner[axis]);
      return (Math.min(...found) + Math.max(...found)) / 2;
    });
    const pixel = at => {
      const [x, y] = this.project(at);
      return [this.width / 2 + (x - middle[0]) * unit, this.height / 2 - (y - middle[1]) * unit];
    };
    const origin = pixel([0, 0, 0]);
    this.frame.replaceChildren();
    ends.forEach((end, axis) => {
      const [x, y] = pixel(end), [beyondX, beyondY] = pixel(end.map(value => value * 1.07));
      this.frame.append(drawing('path', {class: 'axis', d: `M${origin}L${x},${y}`}));
      this.text(`axis ${axis + 1}`, beyondX, beyondY + 0.3 * this.em);
    });
    return pixel;
  }

  turnable() {
    this.svg.addEventListener('pointerdown', down => {
      const from = this.turned, x = down.clientX;
      const move = event => { this.turned = from + (event.clientX - x) / 160; this.paint(); };
      this.svg.setPointerCapture(down.pointerId);
      this.svg.addEventListener('pointermove', move);
      for (const end of ['pointerup', 'pointercancel'])
        this.svg.addEventListener(end, () => this.svg.removeEventListener('pointermove', move), {once: true});
    });
  }

  paint() {
    if (!this.width) return;
    const place = this.spec.ends.length ? this.space() : ([x, y, high]) => [this.x(x), this.y(y), (high ?? 0) * this.tall];
    for (const layer of this.layers) {
      const pixels = layer.shown.map(({at, scale}) => {
        const [x, y, high] = place(at);
        return [x, y, scale, high];
      });
      layer.path.setAttribute('d', outline(layer.spec.symbol, pixels, layer.spec.size * this.em / 16));
    }
  }
}
