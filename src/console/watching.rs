//! The file of the theme in use, looked at now and then, away from the drawing thread.

use std::{path::PathBuf, time::Duration};

use tokio::sync::watch;

use super::{
    mailbox::Sender,
    message::Msg,
    theme::{Depth, Watched},
};

const LOOK: Duration = Duration::from_secs(1);

/// Until the screen ends.
pub async fn keep(mut name: watch::Receiver<String>, folder: PathBuf, depth: Depth, send: Sender) {
    let mut watched = Watched::new(&name.borrow_and_update(), &folder);
    loop {
        tokio::select! {
            changed = name.changed() => {
                if changed.is_err() {
                    return;
                }
                watched = Watched::new(&name.borrow_and_update(), &folder);
            }
            () = tokio::time::sleep(LOOK) => {
                if let Some(result) = watched.look(depth) {
                    let name = name.borrow().clone();
                    send.tell(Msg::Theme(name, Box::new(result.map_err(|e| e.to_string()))));
                }
            }
        }
    }
}
