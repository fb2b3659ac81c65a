//! Which headers are of phone numbers, in the languages people write them in, and which of several is believed.

/// Nouns of a phone.
const PHONE: &[&str] = &[
    "phone",
    "phones",
    "telephone",
    "tel",
    "telefon",
    "telefono",
    "telefone",
    "telefoon",
    "telefonas",
    "telefonszam",
    "telefonnummer",
    "telefoonnummer",
    "telefonnumer",
    "telefonnr",
    "telephonenr",
    "telefone",
    "mobile",
    "mobil",
    "mobiel",
    "movil",
    "celular",
    "cellulare",
    "cell",
    "cellphone",
    "cellular",
    "handy",
    "handynummer",
    "gsm",
    "msisdn",
    "portable",
    "puhelin",
    "puhelinnumero",
    "rufnummer",
    "landline",
    "festnetz",
    "komorka",
    "telp",
    "telepon",
    "telpon",
    "dienthoai",
    "τηλεφωνο",
    "κινητο",
    "телефон",
    "мобильныи",
    "мобильный",
    "мобільний",
    "мобиль",
    "电话",
    "电话号码",
    "手机",
    "手机号",
    "手机号码",
    "電話",
    "電話番号",
    "携帯",
    "携帯電話",
    "手機",
    "전화",
    "전화번호",
    "휴대폰",
    "핸드폰",
    "هاتف",
    "الهاتف",
    "جوال",
    "الجوال",
    "טלפון",
    "נייד",
    "फोन",
    "मोबाइल",
];

/// What may stand beside one.
const BESIDE: &[&str] = &[
    "number",
    "numbers",
    "no",
    "n",
    "nr",
    "num",
    "numero",
    "nummer",
    "numer",
    "home",
    "house",
    "work",
    "business",
    "office",
    "company",
    "primary",
    "main",
    "other",
    "direct",
    "day",
    "daytime",
    "evening",
    "personal",
    "private",
    "privat",
    "geschaftlich",
    "geschaeftlich",
    "dienstlich",
    "perso",
    "pro",
    "professionnel",
    "contact",
    "customer",
    "client",
    "lead",
    "person",
    "value",
    "alt",
    "alternate",
    "alternative",
    "secondary",
    "first",
    "second",
    "third",
    "one",
    "two",
    "preferred",
    "best",
    "default",
    "raw",
    "e164",
    "e",
    "international",
    "intl",
    "formatted",
    "fixe",
    "fijo",
    "fisso",
    "fixo",
    "trabajo",
    "casa",
    "domicile",
    "bureau",
    "de",
    "du",
    "der",
    "di",
    "of",
    "the",
    "my",
    "your",
    "a",
    "line",
    "full",
    "номер",
    "kontakt",
    "cliente",
    "klient",
];

/// In which order phone columns are believed, before others in the file's own.
pub(super) const ORDER: &[&str] = &[
    "phone",
    "phonenumber",
    "mobile",
    "mobilephone",
    "mobilenumber",
    "cell",
    "cellphone",
    "cellnumber",
    "telephone",
    "telephonenumber",
    "tel",
    "contactnumber",
    "contactphone",
    "phoneno",
    "mobileno",
    "primaryphone",
    "phone1",
    "phone1value",
    "msisdn",
    "telefon",
    "telefono",
    "handy",
];

/// Headers that are a number's where no better column is there.
pub(super) const WEAK: &[&str] = &["number", "to", "numero", "nummer"];

/// Whether a header names a phone and nothing else of it ("Phone Type" does not).
pub(super) fn is_phone(words: &[String]) -> bool {
    let mut noun = false;
    let all = words.iter().all(|w| {
        w.bytes().all(|b| b.is_ascii_digit())
            || segments(w).is_some_and(|has| {
                noun |= has;
                true
            })
    });
    // "Phone No" is a number; "No Phone" is none.
    all && noun
}

/// A word of known words, with whether a phone is among them.
fn segments(word: &str) -> Option<bool> {
    if word.is_empty() {
        return Some(false);
    }
    if word.len() > 60 {
        return None;
    }
    let known = PHONE.iter().map(|w| (*w, true)).chain(BESIDE.iter().map(|w| (*w, false)));
    known.filter_map(|(w, noun)| Some((word.strip_prefix(w)?, noun))).find_map(|(rest, noun)| Some(segments(rest)? || noun))
}

#[cfg(test)]
mod tests {
    use super::{super::headers::words, *};

    #[test]
    fn headers_of_phones() {
        let phones = |h: &str| is_phone(&words(h));
        for header in [
            "Phone",
            "Phone 1 - Value",
            "Primary Phone",
            "Home Phone 2",
            "Mobile Phone",
            "Business Phone",
            "Other Phone",
            "Company Main Phone",
            "Phone Number",
            "MobilePhone",
            "homephone",
            "Teléfono",
            "TELÉFONO MÓVIL",
            "Téléphone",
            "Tel. privat",
            "Telefonnummer",
            "N° de téléphone",
            "Numéro de téléphone",
            "telefone celular",
            "手机号码",
            "電話番号",
            "Телефон",
            "Phone (Home)",
            "Tel No.",
            "contact_number_phone",
            "work_phone_number",
        ] {
            assert!(phones(header), "{header}: {:?}", words(header));
        }
        for header in [
            "Phone 1 - Label",
            "Phone Type",
            "Phone Ext",
            "Fax",
            "Home Fax",
            "Pager",
            "Assistant's Phone",
            "Cancelled",
            "Account Number",
            "Phone Country",
            "Callback",
        ] {
            assert!(!phones(header), "{header}");
        }
    }
}
