//! Starts the engine's tasks and waits for their end. A task that breaks down stops dialling, in words; it
//! is never restarted into dialling. What it held of a call goes back, so that somebody takes the call up.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio_util::task::TaskTracker;

use super::health::Health;

pub(super) struct Supervisor {
    tasks: TaskTracker,
    health: Arc<Health>,
}

impl Supervisor {
    pub fn new(health: Arc<Health>) -> Self {
        Self { tasks: TaskTracker::new(), health }
    }

    /// Starts a task that holds no call.
    pub fn start(&self, what: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.start_with(what, task, || {});
    }

    /// Starts a task of one call; `broken` lets go of what it held, when it breaks down.
    pub fn start_with(&self, what: &'static str, task: impl Future<Output = ()> + Send + 'static, broken: impl FnOnce() + Send + 'static) {
        self.tasks.spawn(guarded(self.health.clone(), what, task, broken));
    }

    /// Resolves when every task has ended.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn guarded(health: Arc<Health>, what: &'static str, task: impl Future<Output = ()>, broken: impl FnOnce()) {
    if AssertUnwindSafe(task).catch_unwind().await.is_ok() {
        return;
    }
    tracing::error!(target: "engine", task = what, "a task of the engine panicked: dialling has stopped");
    // Before anything it held is free: nobody may dial in its place.
    health.halt(format!("the engine's {what} broke down; nothing is dialled until a restart (the log file has details)"));
    broken();
    health.publish().await;
}
