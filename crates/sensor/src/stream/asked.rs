//! The parameters that live rules ask a running stream for.

use std::sync::Arc;

use attune_executor::rules::RuleBook;
use serde_json::Value;
use tokio::sync::watch;

use crate::definition::Sensor;
use crate::generator::asked_params;

/// What one stream is asked for, as it was told last.
#[derive(Debug)]
pub(crate) struct Asked {
    rules: watch::Receiver<Arc<RuleBook>>,
    sensor: Arc<Sensor>,
    told: Value,
}

impl Asked {
    /// What the current rules ask for.
    pub(crate) fn new(mut rules: watch::Receiver<Arc<RuleBook>>, sensor: Arc<Sensor>) -> Self {
        let told = asked_params(&rules.borrow_and_update(), &sensor);
        Self { rules, sensor, told }
    }

    /// Rules that never change, since there are none.
    pub(crate) fn of_nobody(sensor: &Sensor) -> Self {
        Self::new(watch::channel(Arc::default()).1, Arc::new(sensor.clone()))
    }

    /// `[{trigger, params}]`, each once.
    pub(crate) fn params(&self) -> &Value {
        &self.told
    }

    /// Waits until it differs from what was told. May be dropped while it waits.
    pub(crate) async fn changed(&mut self) -> Value {
        loop {
            if self.rules.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let asked = asked_params(&self.rules.borrow_and_update(), &self.sensor);
            if asked != self.told {
                self.told.clone_from(&asked);
                return asked;
            }
        }
    }
}
