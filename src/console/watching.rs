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
    let mut shown = name.borrow_and_update().clone();
    let mut watched = Watched::new(&shown, &folder);
    loop {
        tokio::select! {
            changed = name.changed() => {
                if changed.is_err() {
                    return;
                }
                shown.clone_from(&name.borrow_and_update());
                watched = Watched::new(&shown, &folder);
            }
            () = tokio::time::sleep(LOOK) => {
                if let Some(result) = watched.look(depth) {
                    send.tell(Msg::Theme(shown.clone(), Box::new(result.map_err(|e| e.to_string()))));
                }
            }
        }
    }
}
