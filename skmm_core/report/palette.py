"""Colours of pages and reports, told apart by people with any common colour vision (Okabe & Ito 2008)."""

OKABE_ITO = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "vermillion": "#D55E00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}
POOL_COLOUR = "#8A96A3"
