// Asks a web address and says what it answered, and how fast.
async function poll_sensor(config) {
  const axios = require("axios");
  const start = performance.now();
  const answer = await axios.get(config.url, { timeout: 5000, validateStatus: () => true });
  return [
    {
      event_type: "answer",
      url: config.url,
      status: answer.status,
      duration_ms: Math.round((performance.now() - start) * 10) / 10,
    },
  ];
}
