async function poll_sensor(config) {
  const axios = require("axios");
  try {
    await axios.get(config.url, { timeout: 5000 });
    return [];
  } catch (error) {
    return [
      {
        event_type: "endpoint_down",
        url: config.url,
        error: error.message || error.code,
        timestamp: new Date().toISOString(),
      },
    ];
  }
}
