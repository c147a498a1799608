// Times onnxruntime on a file that `betalasso export --format onnx` wrote, whose weights are dense:
//
//     npm install --ignore-scripts onnxruntime-node
//     node inference.js FILE.onnx [THREADS]
//
// Prints one JSON object: images a second, of the median of 21 batches of 512.
const ort = require('onnxruntime-node');

async function main() {
  const [file, threads] = process.argv.slice(2);
  const n = 512, times = [];
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: Number(threads || 2), interOpNumThreads: 1 });
  const pixels = Float32Array.from({ length: n * 3 * 32 * 32 }, () => Math.random());
  const input = { [session.inputNames[0]]: new ort.Tensor('float32', pixels, [n, 3, 32, 32]) };
  for (let i = 0; i < 23; i++) {
    const began = performance.now();
    await session.run(input);
    if (i > 1) times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ onnxruntime: Math.round(1e4 * n / times[10]) / 10, batch: n, threads: Number(threads || 2), versions: { node: process.version, onnxruntime: require('onnxruntime-node/package.json').version } }));
}

main();
