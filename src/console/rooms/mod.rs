//! The rooms, one file each: its keys, its drawing, its words. The deck shows several as panes; a letter twice
//! gives one the whole screen.

mod calls;
mod campaign;
mod campaigns;
mod columns;
pub mod deck;
mod events;
mod found;
mod judging;
mod live;
mod outcomes;
mod people;
mod person;
mod queue;
mod roster;
mod systems;
mod table;
mod trend;

pub use judging::{has_keys as desk_has_keys, judged};

use super::place::Room;

/// All of them.
#[must_use]
pub fn all() -> Vec<Box<dyn Room>> {
    vec![
        Box::new(campaigns::Campaigns::default()),
        Box::new(live::Live),
        Box::new(outcomes::Outcomes),
        Box::new(events::Events::default()),
        Box::new(calls::Calls::default()),
        Box::new(people::People::default()),
        Box::new(systems::Systems::default()),
    ]
}
