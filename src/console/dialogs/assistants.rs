//! The assistants: who speaks, and what it says. Added, changed, and deleted while nobody was called for one.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use super::{
    fields::{Field, Fields},
    sheet::{Sheet, Wish, Wrong},
};
use crate::{
    console::{
        message::{Effect, Msg},
        place::{Dialog, Next},
        setup::Setup,
        state::State,
        widgets::{Entry, card},
    },
    desk::AssistantEdit,
    domain::id::AssistantId,
    store::AssistantRow,
};

/// The list of them.
pub struct Assistants {
    at: usize,
    /// `D` was pressed on it: `y` deletes.
    sure: Option<AssistantId>,
    error: Option<String>,
}

impl Assistants {
    /// The list; where it would be empty, the form of the first.
    pub fn new(_state: &State) -> Self {
        Self { at: 0, sure: None, error: None }
    }
}

/// Assistants that are shown around the one under the cursor.
const SHOWN: usize = 10;

impl Dialog for Assistants {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let all = &state.data.assistants;
        let row = all.get(self.at.min(all.len().saturating_sub(1)));
        let sure = self.sure.take();
        self.error = None;
        match (key.code, row) {
            (KeyCode::Char('n' | 'a'), _) | (KeyCode::Enter, None) => return Next::Instead(Box::new(AssistantForm::sheet(Some(Box::new(Self::new(state)))))),
            (KeyCode::Enter | KeyCode::Char('e'), Some(row)) => return Next::Instead(Box::new(AssistantForm::edit(row, Box::new(Self::new(state))))),
            (KeyCode::Char('D'), Some(row)) => self.sure = Some(row.id),
            (KeyCode::Char('y'), Some(row)) if sure == Some(row.id) => {
                return Next::Stay(vec![Effect::Setup(Setup::DeleteAssistant(row.id, row.name.clone()))]);
            }
            (KeyCode::Down | KeyCode::Char('j'), _) => self.at = (self.at + 1).min(all.len().saturating_sub(1)),
            (KeyCode::Up | KeyCode::Char('k'), _) => self.at = self.at.saturating_sub(1),
            _ => {}
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let all = &state.data.assistants;
        let top = (self.at + 1).saturating_sub(SHOWN);
        let line = |(i, a): (usize, &AssistantRow)| {
            let worker = a.agent_name.as_deref().map_or_else(String::new, |w| format!("   worker {w}"));
            let script = if a.prompt.trim().is_empty() { "   no script of its own" } else { "" };
            Entry::Choice(format!("{}{worker}{script}", a.name), i == self.at)
        };
        let mut entries: Vec<Entry<'_>> = all.iter().enumerate().skip(top).take(SHOWN).map(line).collect();
        if all.is_empty() {
            entries.push(Entry::words("Nobody speaks yet: an assistant is a name, an agent worker, and a script."));
        }
        entries.push(Entry::Gap);
        let asked = all.iter().find(|a| Some(a.id) == self.sure);
        match (&self.error, asked) {
            (Some(why), _) => entries.push(Entry::Wrong(why.clone())),
            (None, Some(a)) => entries.push(Entry::Wrong(format!("Delete \"{}\"? Its numbers wait for another. y deletes   any other key: no", a.name))),
            (None, None) => {}
        }
        let keys = if all.is_empty() { "Enter adds the first   Esc back" } else { "n new   Enter changes it   D delete   up down choose   Esc back" };
        entries.push(Entry::Keys(keys.to_owned()));
        card(frame, &state.theme, area, "Assistants", "Esc", &entries);
    }

    fn told(&mut self, msg: &Msg) -> bool {
        if let Msg::Setup(Setup::DeleteAssistant(..), Err(fault)) = msg {
            self.error = Some(fault.words.clone());
        }
        false
    }
}

/// One of them, new or to be changed.
pub struct AssistantForm {
    editing: Option<AssistantId>,
    below: Option<Box<dyn Dialog>>,
}

impl AssistantForm {
    /// `below`: the dialog that comes back when this is done.
    pub fn sheet(below: Option<Box<dyn Dialog>>) -> Sheet<Self> {
        Self::with(["", "", ""], Self { editing: None, below })
    }

    fn edit(row: &AssistantRow, below: Box<dyn Dialog>) -> Sheet<Self> {
        let values = [row.name.as_str(), row.agent_name.as_deref().unwrap_or_default(), row.prompt.as_str()];
        Self::with(values, Self { editing: Some(row.id), below: Some(below) })
    }

    fn with([name, agent, prompt]: [&str; 3], of: Self) -> Sheet<Self> {
        let fields = Fields::new(vec![
            Field::line("name", "Name", "such as Sarah; no two have the same", name),
            Field::line("agentName", "Agent worker", "the name your worker registers under; empty: the one of the configuration (LK_AGENT_NAME)", agent),
            Field::text("prompt", "Script", "{name}, {first_name}, {company}, any column, {field|default}. Alt-Enter: new line   Ctrl-e: your editor", prompt),
        ]);
        Sheet::new(of, fields)
    }
}

impl Wish for AssistantForm {
    fn setup(&self, fields: &Fields) -> Result<Setup, Wrong> {
        let text = |name| fields.value(name);
        if text("name").is_empty() {
            return Err(("name", "a name is needed".to_owned()));
        }
        let edit = AssistantEdit { name: text("name"), agent_name: Some(text("agentName")).filter(|n| !n.is_empty()), prompt: text("prompt") };
        Ok(match self.editing {
            Some(id) => Setup::EditAssistant(id, edit),
            None => Setup::AddAssistant(edit),
        })
    }

    fn is_mine(&self, setup: &Setup) -> bool {
        matches!(setup, Setup::AddAssistant(_) | Setup::EditAssistant(..))
    }

    fn title(&self) -> &'static str {
        if self.editing.is_some() { "Change the assistant" } else { "New assistant" }
    }

    fn waits(&self) -> &'static str {
        "being written..."
    }

    fn keys(&self) -> String {
        let does = if self.editing.is_some() { "keeps it" } else { "adds it" };
        format!("Enter next, on the script {does}   Tab Shift-Tab   Esc back")
    }

    fn long(&self) -> Option<&'static str> {
        Some("prompt")
    }

    fn told(&mut self, _fields: &mut Fields, msg: &Msg) {
        if let Some(below) = &mut self.below {
            below.told(msg);
        }
    }

    fn below(&mut self) -> Option<Box<dyn Dialog>> {
        self.below.take()
    }
}
