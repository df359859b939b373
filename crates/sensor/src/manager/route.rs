//! Polled sensors go to the roster, streams to their tasks. One whose mode was changed is given back by who ran it, so that it
//! comes again under another epoch, when nothing of how it ran before is left.

use std::sync::Arc;

use attune_common::repositories::sensor_state::Owned;
use tokio::time::Instant;

use super::SensorManager;
use super::roster::Next;
use crate::definition::Sensor;

impl SensorManager {
    /// Hands each sensor to who runs its kind.
    pub(super) fn keep(&mut self, sensors: Vec<(Arc<Sensor>, Owned)>) {
        let (streams, polled): (Vec<_>, Vec<_>) =
            sensors.into_iter().partition(|(sensor, _)| sensor.is_stream());
        let (streamed, polled): (Vec<_>, Vec<_>) =
            polled.into_iter().partition(|(sensor, _)| self.streams.has(sensor.row.id));
        for (sensor, _) in streamed {
            self.streams.let_go(sensor.row.id);
        }
        self.roster.keep(polled, Instant::now());
        for (sensor, owned) in streams {
            if self.roster.has(owned.sensor) {
                let next = self.roster.let_go(owned.sensor);
                self.go_on([(next, owned.sensor, owned.epoch)]);
            } else {
                self.streams.keep(sensor, &owned);
            }
        }
    }

    /// A sensor belongs elsewhere. A stream gives itself back.
    pub(super) fn let_go(&mut self, sensor: i64) -> Next {
        if self.streams.has(sensor) {
            self.streams.let_go(sensor);
            return Next::Nothing;
        }
        self.roster.let_go(sensor)
    }
}
