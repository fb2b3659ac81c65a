//! What asynchronous work runs in.

use super::CliError;

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(16).enable_all().build();
    built.map_err(|e| CliError::Failed(format!("no runtime: {e}")))
}
