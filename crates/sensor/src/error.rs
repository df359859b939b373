//! Why a sensor worker does not start.

use attune_common::{db, registration, runtime_detection};
use attune_executor::core_pack::CorePackError;
use attune_runtimes::equipment::EquipmentError;

/// Why a sensor worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The core pack of this program could not be loaded.
    #[error("the sensor worker can not load the core pack")]
    CorePack(#[source] CorePackError),
    /// There is no usable database.
    #[error("the sensor worker has no database")]
    Database(#[source] db::Error),
    /// What this machine can run could not be found out.
    #[error("the sensor worker can not find out what this machine runs")]
    Detect(#[source] runtime_detection::Error),
    /// The runtimes could not be read.
    #[error("the sensor worker can not find out what this machine runs")]
    Equipment(#[source] EquipmentError),
    /// The enabled sensors could not be read.
    #[error("the sensors can not be read")]
    Sensors(#[source] sqlx::Error),
    /// It has no place in the `worker` table.
    #[error("the sensor worker can not be registered")]
    Registration(#[source] registration::Error),
    /// There is no room for working directories.
    #[error("the sensor worker can not make its working directory under {path}")]
    Scratch {
        /// The cache directory.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
