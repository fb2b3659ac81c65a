//! Verbs of the law of places.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{CliError, args::LawCommand, session::Session};
use crate::domain::{
    dispatch::{self, Closure, Place},
    legal::{self, Law},
    phone::PhoneNumber,
    schedule, zone,
};

pub async fn law(s: &Session, command: LawCommand) -> Result<(), CliError> {
    match command {
        LawCommand::Show { place } => show(s, place.as_deref()).await,
        LawCommand::Close { place, until, reason } => {
            let zone = s.config.timezone.unwrap_or_else(crate::app::host_zone);
            let now = s.desk.now();
            let until = until.map(|t| schedule::parse_moment(&t, zone, now)).transpose().map_err(|e| CliError::Usage(format!("--until: {e}")))?;
            s.desk.close_place(s.actor.clone(), place.clone(), until, reason).await?;
            let end = until.map_or_else(|| "it is opened".to_owned(), |t| t.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string());
            let place = place.to_ascii_uppercase();
            s.say(&format!("nobody in {place} is called on any host until {end}"), &json!({ "place": place, "until": until }));
            Ok(())
        }
        LawCommand::Open { place } => {
            let open = s.desk.open_place(s.actor.clone(), place.clone()).await?;
            let place = place.to_ascii_uppercase();
            let words = if open { format!("{place} is open: its laws hold") } else { format!("{place} was not closed") };
            s.say(&words, &json!({ "place": place, "opened": open }));
            Ok(())
        }
    }
}

async fn show(s: &Session, place: Option<&str>) -> Result<(), CliError> {
    let closures = s.desk.closures().await?;
    let mut lines = vec![format!("table of {}, zones of {}; nothing here is legal advice", legal::version(), zone::version())];
    let rules = s.desk.rules();
    let laws: Vec<&Law> = match place {
        None => legal::rows().collect(),
        Some(text) if text.starts_with('+') => {
            let parsed = PhoneNumber::parse(text, None).map_err(|e| CliError::Usage(format!("{text}: {e}")))?;
            let (number, country) = (parsed.number.to_string(), parsed.country);
            let zones = zone::candidates(&number, &country, parsed.geographic).zones.as_slice();
            let key = zone::key(zones, &[]);
            let place = Place { number: &number, country: &country, zones: Some(zones).filter(|z| !z.is_empty()), states: Vec::new() };
            let judged = dispatch::legal_hours(rules, &closures, &place, s.desk.now());
            let places = legal::places(&country, &number, []);
            lines.push(format!(
                "{number}: {} in {}: {}",
                places.join(", "),
                zone::label(&key),
                judged.map_or_else(|c| c.to_string(), |()| "open now".to_owned())
            ));
            rules.reading().map(|r| legal::of(&places, r)).unwrap_or_default()
        }
        Some(text) => {
            let place = text.to_ascii_uppercase();
            if !legal::is_place(&place) {
                return Err(CliError::Usage(format!("\"{text}\" is no place: write a country such as DE, a state such as US-LA, or a number")));
            }
            rules.reading().map(|r| legal::of(&[&place], r)).unwrap_or_default()
        }
    };
    if laws.is_empty() {
        lines.push("no row: closed until [compliance] unlisted_countries = \"open\" opens it".to_owned());
    }
    lines.extend(laws.iter().map(|l| l.words()));
    lines.extend(closures.iter().filter(|c| c.holds_at(s.desk.now())).map(closed));
    let rows: Vec<_> = laws.iter().map(|l| json!({ "place": l.place, "automatic": l.automatic, "hours": l.label(), "source": l.source, "confidence": l.confidence.to_string(), "checkedOn": l.checked_on })).collect();
    s.say(&lines.join("\n"), &json!({ "version": legal::version(), "rows": rows, "closures": closures }));
    Ok(())
}

fn closed(c: &Closure) -> String {
    let until = c.until.map_or_else(|| "it is opened".to_owned(), |t: DateTime<Utc>| t.format("%Y-%m-%d %H:%M UTC").to_string());
    format!("CLOSED {} until {until}: {}", c.place, c.reason)
}
