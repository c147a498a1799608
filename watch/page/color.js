// The colours of selected runs, to be told apart on light and on dark.

const light = ['#0b62a4', '#d1480f', '#1d8a4a', '#8b3fb0', '#b07a00', '#c2266e', '#007f8c', '#6b5344', '#4a56d6', '#7a8b00', '#a33', '#555c66'];
const dark = ['#6cb8f0', '#ff9a66', '#67d08f', '#cf9bf0', '#e8c050', '#ff85b8', '#54d0dc', '#c8a890', '#a0a8ff', '#c6d84a', '#ff7d7d', '#b4bcc6'];

export const darkness = matchMedia('(prefers-color-scheme: dark)');

// color is that of the run selected at a place.
export const color = (slot) => (darkness.matches ? dark : light)[slot % light.length];
