//! The rooms, one file each: its keys, its drawing, its words. The deck shows several as panes; a letter twice
//! gives one the whole screen.

mod campaign;
mod campaigns;
pub mod deck;
mod events;
mod judging;
mod live;
mod outcomes;
mod table;
mod trend;

pub use judging::judged;

use super::place::Room;

/// All of them.
#[must_use]
pub fn all() -> Vec<Box<dyn Room>> {
    vec![Box::new(campaigns::Campaigns::default()), Box::new(live::Live), Box::new(outcomes::Outcomes), Box::new(events::Events::default())]
}
