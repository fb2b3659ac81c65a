//! Of which country numbers without + are: asked once, where the configuration does not say it.

use super::{message::Effect, state::State};
use crate::domain::{phone, text::clean};

/// From here on, on this screen and in what is imported from it.
///
/// # Errors
/// In words, when it is none.
pub fn set(state: &mut State, code: &str) -> Result<Effect, String> {
    let code = code.trim().to_ascii_uppercase();
    if phone::region(&code).is_err() {
        return Err(format!("\"{}\" is no country: two letters, as US, GB, DE", clean(&code, 20)));
    }
    state.options.region = Some(code.clone());
    state.session.country = Some(code.clone());
    state.say(format!("numbers without + are read as those of {code}, here and in imports"));
    Ok(Effect::Country(code))
}
