//! What an action does: one arm each. Everything that changes the state by a key is here; what is to be done
//! elsewhere goes out as effects.

mod calls;
mod campaigns;
mod rows;
mod screen;
mod systems;
mod tags;

use super::{
    alarms, dialogs,
    keys::{self, Action, Pane},
    message::Effect,
    possible, session,
    state::State,
};

pub use campaigns::start_named;
pub use rows::{columns, sort_by};
pub use screen::open;

/// Lines of a story that a key goes.
const STORY: isize = 5;

/// Does it, or says why not.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(why) = keys::row(action).and_then(|row| possible::now(state, row).err()) {
        state.hint(why);
        return Vec::new();
    }
    match action {
        Action::Up => screen::step(state, -1),
        Action::Down => screen::step(state, 1),
        Action::PageUp => screen::page(state, -1),
        Action::PageDown => screen::page(state, 1),
        Action::Top => screen::step(state, isize::MIN / 2),
        Action::Bottom => screen::step(state, isize::MAX / 2),
        Action::StoryDown => screen::story_by(state, STORY),
        Action::StoryUp => screen::story_by(state, -STORY),
        Action::NextPane => return screen::turn(state, 1),
        Action::PreviousPane => return screen::turn(state, keys::Pane::DECK.len() - 1),
        Action::Focus(pane) => return screen::focus(state, pane),
        Action::Zoom => return screen::zoom(state),
        Action::Escape => screen::escape(state),
        Action::Enter => return screen::enter(state),
        Action::Filter => rows::filter(state),
        Action::Sort => rows::sort(state),
        Action::Reverse => rows::reverse(state),
        Action::Columns => state.open(dialogs::Columns::new(state.focus)),
        Action::Follow => screen::follow(state),
        Action::ToTagOnly => screen::to_tag_only(state),
        Action::AutoNext => screen::auto_next(state),
        Action::Freeze => screen::freeze(state),
        Action::Mask => screen::mask(state),
        Action::Theme => state.open(dialogs::Themes::new(state)),
        Action::Health => return screen::focus(state, Pane::Systems),
        Action::Report => return session::ask_report(state, ""),
        Action::ReadOnly => screen::read_only(state),
        Action::Repaint => state.repaint = true,
        Action::Alerts => state.open(dialogs::Alerts::default()),
        Action::Command => state.open(dialogs::Palette::default()),
        Action::Help => state.open(dialogs::Help::default()),
        Action::Quit => return screen::quit(state),
        Action::Tag(outcome) => return tags::tag(state, Some(outcome)),
        Action::ClearTag => return tags::tag(state, None),
        Action::Undo => return tags::take_back(state),
        Action::AgentsWords => tags::agents_words(state),
        Action::Mark => tags::mark(state),
        Action::MarkAll => tags::mark_all(state),
        Action::Story => return screen::story(state),
        Action::Note => calls::note(state),
        Action::HangUp => calls::hang_up(state),
        Action::Copy => return calls::copy(state),
        Action::CopyRow => return calls::copy_row(state),
        Action::Start => return campaigns::start(state),
        Action::PauseResume => return campaigns::pause_resume(state),
        Action::Stop => return campaigns::stop(state),
        Action::Edit => campaigns::edit(state),
        Action::MoreLines => return campaigns::lines(state, 1),
        Action::FewerLines => return campaigns::lines(state, -1),
        Action::Recycle => return campaigns::recycle(state),
        Action::Why => return campaigns::why(state),
        Action::New => campaigns::new(state),
        Action::Import => campaigns::import(state),
        Action::Delete => campaigns::delete(state),
        Action::PauseAll => return campaigns::pause_all(state),
        Action::StopAll => state.open(dialogs::KillSwitch::turn(true)),
        Action::Release => state.open(dialogs::KillSwitch::turn(false)),
        Action::Mend(mend) => return systems::mend(state, mend),
        Action::Again => calls::again(state),
        Action::Bell => alarms::switch(state),
    }
    Vec::new()
}
