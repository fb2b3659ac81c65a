//! Which column means what: by an operator's word, else by the header as programs and people write it.

use super::{
    CsvError, Field, IGNORE, Mapping,
    headers::{key, words},
    phones::{ORDER, WEAK, is_phone},
    refusal::{self, Meaning},
};
use crate::domain::{place, text::clean};

/// The columns of a file by what they are taken for.
#[derive(Debug, Default)]
pub struct Columns {
    pub fields: Vec<Option<Field>>,
    /// Where the number to dial stands: the first column that holds a good one.
    pub phones: Vec<usize>,
    /// Other numbers of the person: kept, not dialled.
    pub others: Vec<usize>,
    pub refusals: Vec<usize>,
    pub permissions: Vec<usize>,
    /// Headers that may mean "do not call", and it cannot be told.
    pub unclear: Vec<usize>,
    /// All others in which somebody may have written it: neither names nor what the operator leaves out.
    pub spoken: Vec<usize>,
    /// Whatever says of a state, the surest first: it makes what may be done stricter, never looser.
    pub states: Vec<usize>,
    pub postcodes: Vec<usize>,
    /// Of those the ones in which a mark such as "Unsubscribed" is one of calls.
    pub marked: Vec<usize>,
}

/// Decides the columns of a header.
///
/// # Errors
/// When no column holds numbers, or the mapping does not fit.
pub fn assign(headers: &[String], mapping: &Mapping) -> Result<Columns, CsvError> {
    let keys: Vec<Vec<String>> = headers.iter().map(|h| words(h)).collect();
    let joined: Vec<String> = keys.iter().map(|k| k.concat()).collect();
    let mut columns = Columns { fields: vec![None; headers.len()], ..Columns::default() };
    let mut taken = vec![false; headers.len()];
    let mapped = map(&joined, mapping, &mut columns, &mut taken)?;
    let free = |taken: &[bool], i: usize| !taken[i] && !joined[i].is_empty();
    for i in 0..headers.len() {
        if !free(&taken, i) || Field::of(&joined[i]).is_some_and(|f| !matches!(f, Field::Phone | Field::DoNotCall | Field::MayCall)) {
            continue;
        }
        match refusal::meaning(&keys[i]) {
            Some(Meaning::DoNotCall) => columns.refusals.push(i),
            Some(Meaning::MayCall) => columns.permissions.push(i),
            Some(Meaning::Unclear) => columns.unclear.push(i),
            None => continue,
        }
        taken[i] = true;
    }
    let mut phones: Vec<usize> = (0..headers.len()).filter(|i| free(&taken, *i) && is_phone(&keys[*i])).collect();
    if phones.is_empty() && columns.phones.is_empty() {
        phones.extend(WEAK.iter().find_map(|w| (0..headers.len()).find(|i| free(&taken, *i) && joined[*i] == *w)));
    }
    phones.sort_by_key(|i| ORDER.iter().position(|o| *o == joined[*i]).unwrap_or(ORDER.len()));
    for i in &phones {
        taken[*i] = true;
    }
    if mapped { &mut columns.others } else { &mut columns.phones }.extend(phones);
    name_the_rest(&joined, &mut columns, &mut taken);
    for (list, field) in
        [(&columns.phones, Field::Phone), (&columns.others, Field::Phone), (&columns.refusals, Field::DoNotCall), (&columns.permissions, Field::MayCall)]
    {
        for i in list {
            columns.fields[*i] = Some(field);
        }
    }
    let left_out = |i: usize| mapping.iter().any(|(field, column)| field == IGNORE && key(column) == joined[i]);
    columns.spoken = (0..headers.len()).filter(|i| !left_out(*i) && is_spoken(columns.fields[*i], &keys[*i])).collect();
    let places = |field: Field, is: fn(&[String]) -> bool| {
        let sure = (0..headers.len()).filter(|i| columns.fields[*i] == Some(field));
        sure.chain((0..headers.len()).filter(|i| columns.fields[*i].is_none() && !left_out(*i) && is(&keys[*i]))).collect()
    };
    (columns.states, columns.postcodes) = (places(Field::State, place::is_state), places(Field::Postcode, place::is_postcode));
    columns.marked = columns.spoken.iter().copied().filter(|i| !refusal::is_of_others(&keys[*i])).collect();
    if columns.phones.is_empty() {
        return Err(CsvError::NoPhoneColumn { headers: clean(&headers.join(", "), 300) });
    }
    Ok(columns)
}

/// Whether people write in a column what shall be done, and not what somebody or something is called.
fn is_spoken(field: Option<Field>, words: &[String]) -> bool {
    const NAMES: &[&str] = &["name", "company", "employer", "account", "address", "street", "city", "town", "mail", "email", "url", "website", "domain"];
    let names = field.is_none() && words.iter().any(|w| NAMES.contains(&w.as_str()));
    !names && matches!(field, None | Some(Field::Phone | Field::Notes | Field::ConsentSource))
}

/// What the operator said; whether that names the number to dial.
fn map(joined: &[String], mapping: &Mapping, columns: &mut Columns, taken: &mut [bool]) -> Result<bool, CsvError> {
    let mut phone = false;
    for (field, column) in mapping {
        let wanted = key(column);
        // Of two columns of one name both are meant.
        let at: Vec<usize> = (0..joined.len()).filter(|i| joined[*i] == wanted).collect();
        if at.is_empty() {
            return Err(CsvError::NoSuchColumn(clean(column, 100)));
        }
        let field = if field == IGNORE { None } else { Some(Field::parse(field).ok_or_else(|| CsvError::NoSuchField(clean(field, 100)))?) };
        for i in at {
            taken[i] = true;
            match field {
                None => {}
                Some(Field::Phone) => columns.phones.push(i),
                Some(Field::DoNotCall) => columns.refusals.push(i),
                Some(Field::MayCall) => columns.permissions.push(i),
                Some(other) => columns.fields[i] = Some(other),
            }
        }
        phone |= field == Some(Field::Phone);
    }
    Ok(phone)
}

/// The order of aliases is the order of trust: "Name" wins over "Contact" wherever it stands.
fn name_the_rest(joined: &[String], columns: &mut Columns, taken: &mut [bool]) {
    for field in Field::ALL {
        if columns.fields.contains(&Some(field)) || matches!(field, Field::Phone | Field::DoNotCall | Field::MayCall) {
            continue;
        }
        let found = field.aliases().iter().find_map(|a| (0..joined.len()).find(|i| joined[*i] == *a && !taken[*i]));
        if let Some(i) = found {
            columns.fields[i] = Some(field);
            taken[i] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_for(header: &str) -> Option<Meaning> {
        refusal::meaning(&words(header))
    }

    #[test]
    fn more_headers_from_the_field() {
        let refusals = [
            "Black List",
            "Block List",
            "Deny List",
            "D.N.C.",
            "D N C",
            "Dnt Call",
            "Spærret",
            "Schwarze Liste",
            "Sperrkennzeichen",
            "Widersprochen",
            "Keine Werbeanrufe",
            "Keine Kontaktaufnahme",
            "Anruf unerwünscht",
            "Telefonwerbung untersagt",
            "Ne pas rappeler",
            "Ne pas démarcher",
            "Appels interdits",
            "Μην τηλεφωνείτε",
            "拒絕來電",
            "電話拒否",
            "통화거부",
            "Đừng gọi",
            "Aranmak istemiyor",
            "Запрет звонков",
            "Запрещено звонить",
            "Чорний список",
            "Zwarte lijst",
            "Czarna lista",
            "Spärrlista",
            "Puhelinmyyntikielto",
            "Nevolejte",
            "Zákaz volání",
            "Nem hívható",
            "No marketing calls",
            "Exclude From Dialer",
            "Rejects calls",
            "Objects to calls",
            "Cease and desist",
            "Remove Me",
            "Take off list",
            "Call Hold",
            "Call Lock",
            "Banned",
            "Wrong Number",
            "Bad Number",
            "Disconnected",
            "Deceased",
            "Verstorben",
        ];
        for header in refusals {
            assert_eq!(taken_for(header), Some(Meaning::DoNotCall), "{header}");
        }
        for header in ["Accord téléphone", "Acord apel", "Arama izni", "Aceita ligações", "Anruf erwünscht", "수신동의"] {
            assert_eq!(taken_for(header), Some(Meaning::MayCall), "{header}");
        }
        for header in ["동의", "Sperrgrund", "Запрет", "Kielto", "拒否理由", "Interdiction"] {
            assert_eq!(taken_for(header), Some(Meaning::Unclear), "{header}");
        }
        for header in ["Status", "Minor", "Stopover", "Blockchain", "A B C", "Optician", "Recall date", "Accordion", "Izmir"] {
            assert_eq!(taken_for(header), None, "{header}");
        }
    }

    #[test]
    fn headers_that_say_do_not_call() {
        for header in [
            "do_not_call",
            "DNC",
            "isDNC",
            "dnc_flag",
            "Do Not Phone",
            "donotphone",
            "Call Opt Out",
            "Opted Out Of Calls",
            "HasOptedOutOfCall",
            "do_not_dial",
            "DNC Status",
            "DNC Date",
            "Do-Not-Call (Y/N)",
            "do not contact by phone",
            "National DNC",
            "Federal DNC",
            "State DNC",
            "dnc_registered",
            "TPS",
            "CTPS",
            "Bloctel",
            "Robinson",
            "No Phone",
            "Phone Opt-Out",
            "Phone Opt Out",
            "Litigator",
            "Ne pas appeler",
            "Nicht anrufen",
            "No llamar",
            "Do not allow Phone Calls",
            "DoNotPhone",
            "Don't call",
            "Opted Out",
            "unsubscribed",
            "Não ligar",
            "Non chiamare",
            "Niet bellen",
            "Nie dzwonić",
            "Ring inte",
            "Nu sunați",
            "Inte ringas",
            "Ring ikke",
            "Nevolat",
            "Не звонить",
            "请勿致电",
            "電話不可",
            "전화금지",
            "لا تتصل",
            "Werbesperre",
            "Bel-me-niet",
            "Liste Robinson",
            "Registro delle opposizioni",
            "Do not text or call",
            "Älä soita",
            "Widerspruch",
            "Do Not Email or Call",
            "no_call",
            "Never Call",
            "On Do Not Call List",
            "Do Not Contact",
            "Aramayın",
            "SMS Opt Out",
        ] {
            assert_eq!(taken_for(header), Some(Meaning::DoNotCall), "{header}: {:?}", words(header));
        }
    }

    #[test]
    fn headers_that_do_not() {
        for header in [
            "Email Opt Out",
            "Do Not Email",
            "HasOptedOutOfEmail",
            "HasOptedOutOfFax",
            "Do not allow Bulk Emails",
            "Newsletter opt-in",
            "Cancelled",
            "Account Number",
            "Lead NC",
            "Last Call",
            "Call Notes",
            "Called At",
            "Phone No",
            "Contact No.",
            "Notes",
            "First Name",
            "City",
            "Block",
            "Https URL",
            "Stop Date Location",
            "Email consent",
            "Consent IP",
            "Orthodontist",
            "Call Status",
            "Opt In Date",
            "Preferred Contact Method",
            "Unsubscribed from all email",
            "Wintering Location",
            "Menu Contact",
            "Bonus Unavailable",
            "Casino Call Center",
        ] {
            assert_eq!(taken_for(header), None, "{header}");
        }
        for header in [
            "OK to call",
            "May we call?",
            "Phone consent",
            "Opt In",
            "Allow Phone Calls",
            "Call Permission",
            "Kontakt erlaubt",
            "Kontakterlaubnis",
            "Kontaktaufnahme gestattet",
            "Darf kontaktiert werden",
            "Contact allowed",
            "can_be_contacted",
            "Contact permitted",
            "Telefonfreigabe",
            "Contact autorisé",
            "Contacto autorizado",
            "Contatto consentito e autorizzato",
            "Anruf genehmigt",
        ] {
            assert_eq!(taken_for(header), Some(Meaning::MayCall), "{header}");
        }
        for header in [
            "Do not allow",
            "Marketing Consent",
            "GDPR",
            "Contact Preferences",
            "Excluded",
            "Einwilligung",
            "Not opted in",
            "Call Restrictions",
            "Erlaubt",
            "Erlaubnis",
            "Werbung erlaubt",
            "Freigabe",
            "Approved",
            "Permission given",
            "Datenfreigabe erteilt",
            "Disallow contact",
            "Contact not allowed",
            "Kontakt nicht erlaubt",
            "Contact permission withdrawn",
        ] {
            assert_eq!(taken_for(header), Some(Meaning::Unclear), "{header}");
        }
        for header in ["Authorized amount", "Permit number", "Accepted quote", "Approval date", "Freigabe durch", "May sales", "Can size", "Maggie"] {
            assert_eq!(taken_for(header), None, "{header}");
        }
    }

    #[test]
    fn what_is_clearly_no() {
        for value in ["", " ", "no", "No", "FALSE", "0", "0.0", "n", "nein", "non", "não", "нет", "N/A", "none", "Allow", "-", "\u{2610}", "nan", "null"] {
            assert!(!refusal::says_no(value), "{value:?}");
        }
        for value in [
            "yes",
            "x",
            "1",
            "\u{2713}",
            "\u{2611}",
            "\u{2714}\u{fe0f}",
            "\u{2717}",
            "Y",
            "Do Not Allow",
            "2026-01-31",
            "perhaps",
            "ja",
            "1.0",
            "on the list",
            "Never",
        ] {
            assert!(refusal::says_no(value), "{value:?}");
        }
        for (value, want) in
            [("yes", Some(false)), ("", Some(false)), ("no", Some(true)), ("2026-01-31", Some(false)), ("perhaps", None), ("opted out", Some(true))]
        {
            assert_eq!(refusal::forbids(value), want, "{value:?}");
        }
    }
}
