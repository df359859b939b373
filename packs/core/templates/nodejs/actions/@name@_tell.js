// Tells something. What `run` returns is the execution's result, what it prints is its log.

async function run({ text }) {
  console.log("telling:", text);
  return { told: text };
}
