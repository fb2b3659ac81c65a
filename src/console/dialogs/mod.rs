//! What is open over the screen, one file each: its state, its keys, its drawing, its words.

mod alerts;
mod callback;
mod delete;
mod filter;
mod form;
mod hang_up;
mod help;
mod import;
mod kill_switch;
mod note;
mod palette;
mod quit;
mod stop;
mod story;
mod tag_many;
mod terms;
mod undo_do_not_call;
mod words;

pub use alerts::Alerts;
pub use callback::Callback;
pub use delete::Delete;
pub use filter::Filter;
pub use form::Form;
pub use hang_up::HangUp;
pub use help::Help;
pub use import::ImportDialog;
pub use kill_switch::KillSwitch;
pub use note::Note;
pub use palette::Palette;
pub use quit::Quit;
pub use stop::Stop;
pub use story::Story;
pub use tag_many::TagMany;
pub use terms::Terms;
pub use undo_do_not_call::UndoDoNotCall;
pub use words::Words;
