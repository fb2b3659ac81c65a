//! From when on a row of the board is late: `[console] limits`.

use std::str::FromStr;

/// Seconds after which a row is a warning, and an error. Written as `ringing=30/45, on_call=600/1200, to_tag=300/900`;
/// what is left out keeps its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    pub ringing: (i64, i64),
    pub on_call: (i64, i64),
    pub to_tag: (i64, i64),
}

impl Default for Ages {
    fn default() -> Self {
        Self { ringing: (30, 45), on_call: (600, 1200), to_tag: (300, 900) }
    }
}

/// A day: whoever wants no colours writes that.
const LONGEST: i64 = 86_400;

impl FromStr for Ages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut ages = Self::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let wrong =
                || format!("\"{part}\": write a state and seconds until warning and error, such as ringing=30/45; the states are ringing, on_call, to_tag");
            let (state, limits) = part.split_once('=').ok_or_else(wrong)?;
            let (warn, error) = limits.split_once('/').ok_or_else(wrong)?;
            let seconds = |t: &str| t.trim().parse().ok().filter(|n| (1..=LONGEST).contains(n));
            let limits: (i64, i64) = (seconds(warn).ok_or_else(wrong)?, seconds(error).ok_or_else(wrong)?);
            if limits.0 > limits.1 {
                return Err(format!("\"{part}\": the warning comes before the error"));
            }
            match state.trim() {
                "ringing" => ages.ringing = limits,
                "on_call" => ages.on_call = limits,
                "to_tag" => ages.to_tag = limits,
                _ => return Err(wrong()),
            }
        }
        Ok(ages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_them() {
        assert_eq!("".parse(), Ok(Ages::default()));
        assert_eq!("to_tag=60/120".parse(), Ok(Ages { to_tag: (60, 120), ..Ages::default() }));
        for wrong in ["ringing=45/30", "ringing=30", "ring=1/2", "on_call=0/5", "on_call=x/5"] {
            assert!(wrong.parse::<Ages>().unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
