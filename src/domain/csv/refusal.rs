//! Columns and cells by which somebody has said that they must not be called, in the words and languages
//! of the programs that write them. It errs towards not phoning: any word that is not clearly "no" is a
//! yes, and a header that may mean it stops the import until a person has said what it means.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use chrono::{DateTime, NaiveDate};

use super::headers;
use crate::domain::text::fold;

/// What a header says about calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Who is marked here must not be called.
    DoNotCall,
    /// Who is marked here may be: a "no" forbids.
    MayCall,
    /// It is about that, and it cannot be told which.
    Unclear,
}

/// A word of its own; `*` stands for any end of it.
const WORDS: &[&str] = &[
    "dnc*",
    "ndnc*",
    "dnd",
    "dndstatus",
    "dnp",
    "tps",
    "ctps",
    "bloctel*",
    "robinson*",
    "litigator*",
    "blacklist*",
    "blocklist*",
    "blocked",
    "isblocked",
    "suppress*",
    "unsubscrib*",
    "optout*",
    "optedout*",
    "nix",
    "nixtelefon",
    "bmnr",
    "rpo",
    "stoplist",
    "donotcall*",
    "donotphone*",
    "donotcontact*",
    "donotdial*",
    "donotring*",
    "donotdisturb*",
    "donottelephone*",
    "donotsolicit*",
    "dontcall*",
    "dontphone*",
    "dontcontact*",
    "dontdisturb*",
    "nocall*",
    "nophone",
    "nocontact",
    "uncallable",
    "notcallable",
    "noncallable",
    "werbesperre",
    "telefonsperre",
    "anrufsperre",
    "kontaktsperre",
    "sperrliste",
    "sperrvermerk",
    "sperre",
    "gesperrt",
    "widerspruch",
    "werbewiderspruch",
    "abgemeldet",
    "desinscrit",
    "desabonne",
    "descadastrado",
    "bloqueado",
    "bloqueada",
    "bloccato",
    "geblokkeerd",
    "afgemeld",
    "sprzeciw",
    "zablokowany",
    "sparrad",
    "spaerret",
    "sperret",
    "reservasjonsregisteret",
    "soittokielto",
    "чс",
    "iys",
    "banned",
    "sperrkennzeichen",
    "widersprochen",
    "spærret",
    "sparrlista",
    "zablokovan*",
];

/// Words without what stands between them, anywhere in a header.
const PHRASES: &[&str] = &[
    // English
    "optout",
    "optedout",
    "optsout",
    "optingout",
    "optmeout",
    "dontcall",
    "nevercall",
    "stopcall",
    "nosolicit",
    "norobocall",
    "removefromcall",
    "callblock",
    "blockcall",
    "callexclu",
    "excludefromcall",
    "refusescall",
    "refusedcall",
    "refusecall",
    "callrefus",
    "callsuppress",
    "donottext",
    "stoplist",
    "consentrevoked",
    "consentwithdrawn",
    "revokedconsent",
    "withdrawnconsent",
    "revocation",
    "notcontactable",
    "notoktocall",
    "notallowedtocall",
    "cannotcall",
    "cannotbecalled",
    "shouldnotcall",
    "mustnotcall",
    "nottobecalled",
    "nottocall",
    "notcall",
    "notbecalled",
    "notwanttobecalled",
    "notwantcalls",
    "nolongerwant",
    "donotcall",
    "blacklist",
    "blocklist",
    "denylist",
    "nomarketingcall",
    "excludefromdial",
    "rejectscall",
    "objectstocall",
    "objecttocall",
    "ceaseanddesist",
    "removeme",
    "removefromlist",
    "removefromyourlist",
    "takemeoff",
    "takeofflist",
    "takeoffthelist",
    "takeoffyourlist",
    "callhold",
    "calllock",
    "dntcall",
    // German
    "nichtanrufen",
    "nichtmehranrufen",
    "nichttelefonieren",
    "nichtkontaktieren",
    "nichtmehrkontaktieren",
    "keinanruf",
    "keineanruf",
    "keintelefon",
    "keinkontakt",
    "keinewerbung",
    "keinetelefonwerbung",
    "anrufeverboten",
    "anrufverbot",
    "telefonverbot",
    "kontaktverbot",
    "werbeverbot",
    "nichtangerufen",
    "widerspruchtelefon",
    "telefonwiderspruch",
    "robinsonliste",
    "schwarzeliste",
    "keinewerbeanruf",
    "keinekontaktaufnahme",
    "anrufunerwunscht",
    "anrufeunerwunscht",
    "kontaktunerwunscht",
    "telefonwerbunguntersagt",
    "werbunguntersagt",
    // French
    "nepasappeler",
    "nepascontacter",
    "nepastelephoner",
    "nepasderanger",
    "neplusappeler",
    "nepluscontacter",
    "nepassolliciter",
    "pasdappel",
    "pasappeler",
    "listerouge",
    "listenoire",
    "refusappel",
    "refusdemarchage",
    "refustelephon",
    "oppositiontelephon",
    "oppositionappel",
    "oppositiondemarchage",
    "nepasrappeler",
    "neplusrappeler",
    "nepasdemarcher",
    "neplusdemarcher",
    "nappelezplus",
    "nappelezpas",
    "nerappelezplus",
    "appelsinterdit",
    "appelinterdit",
    // Spanish, Portuguese
    "nollamar",
    "nollame",
    "nocontactar",
    "nomolestar",
    "notelefonear",
    "nodesealla",
    "nodeseaserllamad",
    "listarobinson",
    "listanegra",
    "novolverallamar",
    "nollamen",
    "prohibidollamar",
    "exclusionllamadas",
    "naoligar",
    "naoligue",
    "naocontatar",
    "naocontactar",
    "naotelefonar",
    "naoperturb",
    "naoincomodar",
    "naochamar",
    "naomeligue",
    "bloqueiodeligac",
    // Italian
    "nonchiamare",
    "noncontattare",
    "nontelefonare",
    "nondisturbare",
    "opposizioni",
    "nonrichiamare",
    "listanera",
    // Dutch
    "nietbellen",
    "nietopbellen",
    "nietcontacteren",
    "niettelefoneren",
    "nietstoren",
    "belmeniet",
    "nietmeerbellen",
    "nietbenaderen",
    "nietgebeld",
    "nietmeergebeld",
    "wilnietgebeld",
    "zwartelijst",
    // Scandinavian, Finnish
    "ringinte",
    "ringej",
    "kontaktainte",
    "inteskallring",
    "nixregist",
    "ringikke",
    "kontaktikke",
    "ikkering",
    "ikkekontakt",
    "maikkering",
    "maikkekontakt",
    "alasoita",
    "eisaasoittaa",
    "eisoiteta",
    "puhelinkielto",
    "markkinointikielto",
    "myyntikielto",
    "spærreliste",
    // Polish, Czech, Slovak, Hungarian, Romanian, Croatian, Slovene
    "niedzwon",
    "niekontaktowac",
    "zakazkontaktu",
    "zakazdzwon",
    "zakazvolani",
    "czarnalista",
    "nevolat",
    "nevolejte",
    "nekontaktovat",
    "nehivja",
    "nehivd",
    "nehivhato",
    "nehivni",
    "nemhivhato",
    "nusunati",
    "nucontactati",
    "nuapelati",
    "nezvati",
    "nezovi",
    "nezovite",
    "nekontaktirati",
    "neklici",
    // Turkish, Greek, Baltic
    "aramayin",
    "aranmasin",
    "aramaistemiyor",
    "aranmakistemiyor",
    "μηνκαλειτε",
    "μηντηλεφωνειτε",
    "μητηλεφωνειτε",
    "μηνενοχλειτε",
    "neskambinti",
    "nezvanit",
    "mittehelistada",
    "arahelista",
    // Russian, Ukrainian, Bulgarian
    "незвонить",
    "незвоните",
    "неконтактировать",
    "небеспокоить",
    "стоплист",
    "черныисписок",
    "отказотзвонк",
    "запретзвонк",
    "запретназвонк",
    "запрещенозвонить",
    "чорнийсписок",
    "недзвонити",
    "нетелефонувати",
    "незвънете",
    "несеобажда",
    // Arabic, Hebrew, Hindi
    "لاتتصل",
    "عدمالاتصال",
    "ممنوعالاتصال",
    "لأتتصل",
    "אללהתקשר",
    "לאלהתקשר",
    "איןלהתקשר",
    "אלתתקשר",
    "कॉलनकर",
    "फोननकर",
    // Chinese, Japanese, Korean, Vietnamese, Indonesian, Thai
    "请勿致电",
    "请勿来电",
    "请勿拨打",
    "请勿联系",
    "请勿打扰",
    "不要打电话",
    "不要致电",
    "不要联系",
    "勿打扰",
    "免打扰",
    "拒绝来电",
    "拒接",
    "禁止拨打",
    "禁止呼叫",
    "黑名单",
    "請勿致電",
    "請勿來電",
    "請勿聯絡",
    "勿擾",
    "黑名單",
    "拒絕來電",
    "拒絕致電",
    "不要再打",
    "別再打",
    "别再打",
    "勿打",
    "電話不可",
    "電話拒否",
    "架電拒否",
    "連絡拒否",
    "着信拒否",
    "電話お断り",
    "電話禁止",
    "架電禁止",
    "架電不可",
    "架電ng",
    "電話ng",
    "発信禁止",
    "連絡不可",
    "連絡禁止",
    "연락금지",
    "전화금지",
    "전화거부",
    "수신거부",
    "통화거부",
    "연락거부",
    "통화금지",
    "전화하지마",
    "연락하지마",
    "두낫콜",
    "khonggoi",
    "khonglienlac",
    "dungoi",
    "dunggoi",
    "jangantelepon",
    "janganhubungi",
    "janganditelepon",
    "ห้ามโทร",
];

/// Behind "do not", "don't", "never": what is not to be done is to ring.
const RINGING: &[&str] = &["call", "phone", "dial", "ring", "contact", "solicit", "disturb", "telephon", "market", "reach", "text", "sms", "message"];

/// A refusal of these alone is none of a call's.
const OTHERS: &[&str] = &["email", "mail", "fax", "newsletter", "courriel", "correo", "post", "letter", "brief", "cookie", "push", "track", "sell", "track"];

/// A refusal that names these is one of calls, whatever else it names.
const CALLS: &[&str] = &["call", "phone", "dial", "telefon", "telephon", "anruf", "appel", "llam", "ligar", "chiam", "bell", "ring", "sms"];

/// Who is marked may be called.
const ALLOWED: &[&str] = &[
    "oktocall",
    "okaytocall",
    "oktophone",
    "oktocontact",
    "maycall",
    "maywecall",
    "maycontact",
    "cancall",
    "canwecall",
    "cancontact",
    "canbecalled",
    "maybecalled",
    "callok",
    "callallowed",
    "callsallowed",
    "allowcall",
    "allowscall",
    "allowedtocall",
    "allowphone",
    "allowcontact",
    "callpermission",
    "permissiontocall",
    "permissiontocontact",
    "phonepermission",
    "contactpermission",
    "phoneconsent",
    "callconsent",
    "callingconsent",
    "consenttocall",
    "consenttocontact",
    "consentcall",
    "consentphone",
    "optin",
    "optedin",
    "callable",
    "contactable",
    "cancontactbyphone",
    "reachablebyphone",
    "eligibletocall",
    "canphone",
    "mayphone",
    "telefoneinwilligung",
    "einwilligungtelefon",
    "anruferlaubt",
    "darfangerufenwerden",
    "werbeeinwilligung",
    "accepteappel",
    "consentementappel",
    "consentementtelephon",
    "aceptallamadas",
    "puedellamar",
    "sepuedellamar",
    "podeligar",
    "puochiamare",
    "magbellen",
    "maggebeldworden",
    "farringas",
    "peutetreappele",
    "moznadzwonic",
    "можнозвонить",
    "accordtelephon",
    "accordappel",
    "acordapel",
    "acordtelefon",
    "aramaizni",
    "aceitaligac",
    "anruferwunscht",
    "telefonerwunscht",
    "수신동의",
    "전화동의",
];

/// Beginnings of a word of consent: with a word of a call beside it, who is marked may be called.
const CONSENTS: &[&str] =
    &["ok", "okay", "allowed", "allows", "accept", "agree", "permit", "willing", "wants", "eligible", "erlaubt", "autoris", "acept", "zulaess"];

/// In a word of a permission, whatever stands before and behind it.
const PERMITS: &[&str] = &[
    "allow",
    "permi",
    "authori",
    "autoris",
    "autoriz",
    "approv",
    "erlaub",
    "gestatt",
    "genehmig",
    "einverstand",
    "zugestimm",
    "freigab",
    "freigegeb",
    "zulass",
    "accept",
    "aceita",
    "accett",
    "toegest",
    "toestem",
    "godkan",
    "godkjen",
    "tillat",
    "tillad",
    "zezwol",
    "dozwol",
    "dovol",
    "povol",
    "engedel",
    "разреш",
    "дозвол",
];

/// A word that asks whether somebody may.
const MAY: &[&str] = &["may", "can", "darf", "duerfen", "durfen", "peut", "puede", "pode", "puo", "mag", "smie", "kan", "saa", "moze", "lehet"];

/// What may be done is to turn to the person, by whatever way: a call is one.
const CONTACTS: &[&str] = &["contact", "kontakt", "contatt", "contat", "ansprech", "angesproch", "erreich", "reach", "контакт"];

/// Beside a permission these leave open what for.
const FOR_WHAT: &[&str] =
    &["werbung", "marketing", "daten", "data", "privacy", "datenschutz", "publicite", "publicidad", "reclame", "given", "granted", "erteilt"];

/// Words that may mean either.
const UNCLEAR: &[&str] = &[
    "consent",
    "consents",
    "consented",
    "einwilligung",
    "zustimmung",
    "consentement",
    "consentimiento",
    "consentimento",
    "consenso",
    "toestemming",
    "zgoda",
    "samtycke",
    "samtykke",
    "suostumus",
    "souhlas",
    "hozzajarulas",
    "согласие",
    "permission",
    "permissions",
    "gdpr",
    "dsgvo",
    "rgpd",
    "lgpd",
    "tcpa",
    "동의",
    "同意",
    "izin",
    "izni",
    "accord",
    "acord",
];

/// In a word that forbids something, and it cannot be told what.
const FORBIDS: &[&str] = &["sperr", "spærr", "sparra", "zakaz", "запре", "заборон", "interdit", "interdic", "prohib", "verbot", "kielto", "拒", "禁", "勿"];

/// That a number is nobody's any more, or not this person's, or that the person has died: in a header, or as all that a
/// cell says.
const GONE: &[&str] = &[
    "wrongnumber",
    "wrongphone",
    "badnumber",
    "badphone",
    "invalidnumber",
    "disconnected",
    "notinservice",
    "outofservice",
    "deceased",
    "falschenummer",
    "keinanschluss",
    "verstorben",
    "fauxnumero",
    "mauvaisnumero",
    "decede",
    "numeroequivocado",
    "numeroerrado",
    "numerosbagliato",
    "fallecid",
    "falecid",
    "deceduto",
    "verkeerdnummer",
    "overleden",
];

/// Words that mean either where nothing but [`FILL`] stands beside them.
const UNCLEAR_ALONE: &[&str] = &[
    "exclude",
    "excluded",
    "exclusion",
    "restricted",
    "restriction",
    "restrictions",
    "refused",
    "refusal",
    "refuses",
    "declined",
    "forbidden",
    "prohibited",
    "objection",
    "objected",
    "opposed",
    "opposition",
    "opposizione",
    "oposicion",
    "oposicao",
    "baja",
    "preference",
    "preferences",
    "revoked",
    "withdrawn",
    "removed",
    "remove",
    "stop",
    "stopped",
    "verboten",
    "reservert",
    "reservasjon",
    "verbot",
    "refus",
    "exclusao",
    "interdit",
    "interdite",
    "prohibido",
    "proibido",
    "vietato",
    "subscribed",
];

/// A header that says no more than this is a question, and a "no" under it is no consent.
const ASKS: &[&str] = &[
    "call",
    "callthem",
    "callme",
    "contactme",
    "phoneme",
    "anrufen",
    "telefonieren",
    "appeler",
    "llamar",
    "ligar",
    "chiamare",
    "bellen",
    "звонить",
    "dzwonic",
];

const FILL: &[&str] = &[
    "call",
    "calls",
    "calling",
    "phone",
    "contact",
    "contacts",
    "communication",
    "marketing",
    "is",
    "has",
    "flag",
    "status",
    "customer",
    "lead",
    "list",
    "by",
    "to",
    "for",
    "from",
    "all",
    "y",
    "n",
    "yes",
    "no",
    "telefon",
    "kontakt",
    "appel",
    "llamadas",
];

/// Words of a column that holds the proof of a consent, not the consent.
const PROOF: &[&str] =
    &["ip", "url", "text", "source", "version", "language", "form", "id", "channel", "proof", "page", "timestamp", "date", "time", "at", "method", "quelle"];

static FOLDED: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| [WORDS, PHRASES].map(|list| list.iter().map(|w| fold(w)).collect()));

/// By which a word, or a permission behind them in the same word, is turned into its opposite.
const NEGATIONS: &[&str] = &["not", "no", "non", "un", "dis", "kein", "keine", "nicht", "geen", "niet", "ikke", "inte", "nie", "sin", "sans", "senza", "не"];

/// A permission that is over, or was never given.
const TAKEN_BACK: &[&str] =
    &["withdr", "revok", "denied", "deny", "refus", "reject", "declin", "expire", "entzogen", "widerruf", "verweiger", "abgelehn", "retir"];

fn is_negated(word: &str) -> bool {
    let ends = |before: &str| NEGATIONS.iter().any(|n| before.ends_with(n));
    let inside = || PERMITS.iter().any(|p| word.find(p).is_some_and(|at| ends(&word[..at])));
    NEGATIONS.contains(&word) || TAKEN_BACK.iter().any(|t| word.starts_with(t)) || inside()
}

/// What a header says about calling; `None` when it is about something else.
pub fn meaning(words: &[String]) -> Option<Meaning> {
    let joined = words.concat();
    let any = |list: &[&str]| list.iter().any(|p| joined.contains(p));
    let of_calls = words.iter().any(|w| CALLS.iter().any(|c| w.starts_with(c) || (c.len() > 4 && w.contains(c))));
    let other = any(OTHERS) && !of_calls;
    if refuses(words, &joined) || any(GONE) {
        return (!other).then_some(Meaning::DoNotCall);
    }
    let forbids = words.windows(2).any(|w| (w[0] == "do" && w[1] == "not") || (w[0] == "don" && w[1] == "t"))
        || words.iter().any(|w| matches!(w.as_str(), "dont" | "donot" | "never") || w.starts_with("donot"));
    if forbids {
        return if any(RINGING) && !other { Some(Meaning::DoNotCall) } else { (!other).then_some(Meaning::Unclear) };
    }
    if other {
        return None;
    }
    let proof = words.iter().any(|w| PROOF.contains(&w.as_str())) || words.last().is_some_and(|w| w == "by");
    let negated = words.iter().any(|w| is_negated(w));
    let consents = of_calls && words.iter().any(|w| CONSENTS.iter().any(|c| if c.len() > 4 { w.starts_with(c) } else { w == c }));
    if (any(ALLOWED) || consents) && !proof {
        return Some(if negated { Meaning::Unclear } else { Meaning::MayCall });
    }
    let permits = words.iter().any(|w| PERMITS.iter().any(|p| w.contains(p)));
    let contacts = of_calls || words.iter().any(|w| CONTACTS.iter().any(|c| w.contains(c)));
    let may = words.first().is_some_and(|w| MAY.contains(&w.as_str()));
    if contacts && (permits || may || words.iter().any(|w| CONSENTS.contains(&w.as_str()))) && !proof {
        return Some(if negated { Meaning::Unclear } else { Meaning::MayCall });
    }
    // A permission without a word of what for: who knows, says so.
    let beside = |w: &String| FILL.contains(&w.as_str()) || FOR_WHAT.contains(&w.as_str()) || PERMITS.iter().any(|p| w.contains(p));
    let open = permits && words.iter().all(beside);
    let forbids = words.iter().any(|w| FORBIDS.iter().any(|f| w.contains(f)));
    let unclear = forbids || (words.iter().any(|w| UNCLEAR.contains(&w.as_str())) || open) && !proof;
    let alone =
        words.iter().any(|w| UNCLEAR_ALONE.contains(&w.as_str())) && words.iter().all(|w| UNCLEAR_ALONE.contains(&w.as_str()) || FILL.contains(&w.as_str()));
    (unclear || alone || one_of(&joined, ASKS)).then_some(Meaning::Unclear)
}

/// Whether a header is about letters and the like, and not about calls.
pub fn is_of_others(words: &[String]) -> bool {
    let has = |list: &[&str]| words.iter().any(|w| list.iter().any(|o| w.contains(o)));
    has(OTHERS) && !has(CALLS)
}

/// What a cell has in it that says "do not call": a cheap look before the words are read.
static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let hints = RINGING[..7].iter().chain(CALLS).chain(HINTED);
    AhoCorasick::builder().ascii_case_insensitive(true).build(hints).ok()
});

const HINTED: &[&str] = &[
    "dnc",
    "dnt",
    "opt",
    "solicit",
    "disturb",
    "remov",
    "off",
    "list",
    "lista",
    "cease",
    "withdrawn",
    "revo",
    "block",
    "no longer",
    "exclu",
    "text",
    "sollicit",
    "marchag",
    "marcher",
    "molest",
    "desea",
    "ligue",
    "perturb",
    "incomod",
    "chama",
    "bloque",
    "opposiz",
    "storen",
    "benader",
    "lijst",
    "regist",
    "kielto",
    "apela",
    "klici",
    "ενοχλ",
    "skambin",
    "стоп",
    "спис",
    "звън",
    "обажд",
    "תקשר",
    "扰",
    "擾",
    "再打",
    "断り",
    "통화",
    "두낫",
    "kontakt",
    "werb",
    "contat",
    "calls",
    "dzwon",
    "vol",
    "hiv",
    "suna",
    "zva",
    "zov",
    "bel",
    "soit",
    "démarch",
    "dérang",
    "ара",
    "звон",
    "Звон",
    "беспок",
    "контакт",
    "телефон",
    "勿",
    "拒",
    "禁",
    "不要",
    "黑名",
    "黑名單",
    "不可",
    "ng",
    "연락",
    "전화",
    "수신",
    "اتصل",
    "تتصل",
    "الاتصال",
    "התקשר",
    "โทร",
    "कॉल",
    "फोन",
    "gọi",
    "liên",
    "telepon",
    "hubung",
    "arama",
    "aranm",
    "καλ",
    "τηλεφ",
];

/// Whether somebody has written into a cell of another column that the person must not be called: a status
/// "DNC", a note "please do not call again". The name of a thing that is called so is none.
pub fn is_said(text: &str) -> bool {
    if !HINTS.as_ref().is_none_or(|h| h.is_match(text)) {
        return false;
    }
    let words: Vec<String> = headers::words(text).into_iter().take(WORDS_READ).collect();
    let has = |list: &[&str]| words.iter().any(|w| list.iter().any(|o| w.starts_with(o)));
    if has(OTHERS) && !has(CALLS) {
        return false;
    }
    (0..words.len()).any(|i| says_it(&words[i..]))
}

/// A cell, or a tag of several in it, that is nothing but such a mark: "Unsubscribed", "No calls please", "Wrong number".
/// In a sentence the same words may be about something else.
pub fn is_a_mark(text: &str) -> bool {
    if text.is_ascii() && !MARKS.as_ref().is_none_or(|m| m.is_match(text)) {
        return false;
    }
    is_gone(text)
        || text.split([',', ';', '|', '/', '\n', '(', ')']).any(|tag| {
            let words: Vec<String> = headers::words(tag).into_iter().take(MARK + 1).collect();
            (1..=MARK).contains(&words.len()) && marks(&words)
        })
}

/// Words of a mark at most.
const MARK: usize = 4;

/// Of [`WORDS`] those that are a surname too, or letters of much else, unless they are all that is said.
const AMBIGUOUS: &[&str] = &["robinson*", "litigator*", "nix", "rpo", "iys", "tps", "ctps", "bmnr", "чс", "dnd", "dnp"];

/// What forbids where it stands alone.
const ALONE: &[&str] = &["stop", "baja", "robinson", "litigator", "tps", "ctps", "dnd", "dnp", "dncr", "拒否", "拒絶", "拒绝", "拒絕", "отказ"];

fn marks(words: &[String]) -> bool {
    let joined = words.concat();
    let negated = words.iter().any(|w| NEGATIONS.contains(&w.as_str()));
    let sure = |w: &String| SURE.iter().any(|p| is(w, p));
    let pair = words.windows(2).any(|w| PAIRS.iter().any(|(one, two)| w[0] == *one && w[1].starts_with(two)));
    pair || (!negated && words.iter().any(|w| sure(w) || w.contains("dnc"))) || one_of(&joined, ALONE)
}

static SURE: LazyLock<Vec<String>> = LazyLock::new(|| WORDS.iter().filter(|w| !AMBIGUOUS.contains(w)).map(|w| fold(w)).collect());

/// A number or a person that is gone, in a few words; a call that was disconnected is neither.
fn is_gone(text: &str) -> bool {
    let words: Vec<String> = headers::words(text).into_iter().take(MARK + 1).collect();
    let joined = words.concat();
    words.len() <= MARK && !words.iter().any(|w| w.starts_with("call")) && GONE.iter().any(|g| joined.contains(g))
}

/// A cheap look before the words of a mark are read.
static MARKS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let stems = WORDS.iter().map(|w| w.trim_end_matches('*')).filter(|w| w.len() > 2);
    // Words in two: "black list", "opt out", "wrong number".
    let parts =
        ["stop", "no ", "no-", "no_", "d.n.c", "d n c", "d-n-c", "d/n/c", "black", "block", "opt", "wrong", "bad ", "service", "number", "nummer", "numero"];
    let stems = stems.chain(GONE.iter().copied()).chain(ALONE.iter().copied()).chain(parts);
    AhoCorasick::builder().ascii_case_insensitive(true).build(stems).ok()
});

/// Words beside a number by which somebody says that it is nobody's any more, or not this person's.
const WRONG: &[&str] = &[
    "wrong",
    "wrongnumber",
    "invalid",
    "incorrect",
    "bad",
    "disconnected",
    "deceased",
    "dead",
    "died",
    "notinservice",
    "outofservice",
    "nolongerinservice",
    "unreachable",
    "donotuse",
    "falsch",
    "falsche",
    "ungultig",
    "verstorben",
    "keinanschluss",
    "nichtvergeben",
    "abgemeldet",
    "faux",
    "fausse",
    "errone",
    "invalide",
    "decede",
    "nonattribue",
    "equivocado",
    "erroneo",
    "incorrecto",
    "invalido",
    "fallecido",
    "fallecida",
    "errado",
    "falecido",
    "sbagliato",
    "errato",
    "deceduto",
    "inesistente",
    "verkeerd",
    "ongeldig",
    "overleden",
    "неверный",
];

/// Whether a cell with a number says so.
pub fn is_wrong(text: &str) -> bool {
    if !text.bytes().any(|b| b.is_ascii_alphabetic() || b >= 0x80) {
        return false;
    }
    let words = headers::words(text);
    (0..words.len()).any(|i| {
        let joined: String = words[i..].iter().take(5).map(String::as_str).collect();
        WRONG.iter().any(|w| one_of(&words[i], &[w]) || (w.len() > 9 && joined.starts_with(w)))
    })
}

/// Words of a cell that are read.
const WORDS_READ: usize = 200;
/// What may stand between "do not" and "call": "do not ever call", "does not want to be called".
const BETWEEN: &[&str] =
    &["ever", "want", "wants", "wish", "like", "to", "be", "receive", "get", "any", "more", "further", "please", "try", "us", "me", "him", "her", "them"];

/// Whether words begin with what forbids calls.
fn says_it(words: &[String]) -> bool {
    let behind = match words {
        [a, b, rest @ ..] if (matches!(a.as_str(), "do" | "does") && b == "not") || (matches!(a.as_str(), "don" | "doesn") && b == "t") => rest,
        [a, rest @ ..] if matches!(a.as_str(), "dont" | "doesnt" | "donot" | "never") => rest,
        [a, ..] if matches!(a.as_str(), "dnc" | "dncl" | "ndnc") => return true,
        _ => return begins_with_a_phrase(words),
    };
    let what = behind.iter().find(|w| !BETWEEN.contains(&w.as_str()));
    what.is_some_and(|w| RINGING[..7].iter().any(|r| w.starts_with(r))) || begins_with_a_phrase(words)
}

fn begins_with_a_phrase(words: &[String]) -> bool {
    let [_, phrases] = &*FOLDED;
    let joined: String = words.iter().take(8).map(String::as_str).collect();
    phrases.iter().any(|p| joined.starts_with(p.as_str()))
}

/// Two words in a row of which the second begins so. "No. telephone" is a number's column, "No phone" is not.
const PAIRS: &[(&str, &str)] =
    &[("no", "phone"), ("no", "call"), ("no", "contact"), ("no", "dial"), ("inte", "ring"), ("ej", "ring"), ("nu", "suna"), ("nu", "contact"), ("nu", "apela")];

/// Whether a word is that of a pattern of [`WORDS`].
fn is(word: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(word == pattern, |start| word.starts_with(start))
}

fn refuses(words: &[String], joined: &str) -> bool {
    let [single, phrases] = &*FOLDED;
    words.windows(2).any(|w| PAIRS.iter().any(|(one, two)| w[0] == *one && w[1].starts_with(two)))
        || words.iter().any(|w| single.iter().any(|p| is(w, p)) || w.contains("dnc"))
        || single.iter().any(|p| !p.ends_with('*') && p.len() > 5 && joined == p)
        || phrases.iter().any(|p| joined.contains(p.as_str()))
}

/// Words for "no" and for nothing.
const NO: &[&str] = &[
    "0",
    "n",
    "no",
    "f",
    "false",
    "off",
    "nein",
    "falsch",
    "non",
    "faux",
    "nee",
    "nej",
    "nei",
    "ei",
    "nie",
    "ne",
    "nao",
    "nem",
    "nu",
    "hayir",
    "falso",
    "falsa",
    "нет",
    "ні",
    "не",
    "否",
    "不",
    "无",
    "無",
    "いいえ",
    "아니오",
    "아니요",
    "لا",
    "לא",
    "οχι",
    "tidak",
    "khong",
    "नहीं",
    "unchecked",
    "allow",
    "allowed",
    "allows",
    "ok",
    "okay",
    "callok",
    "oktocall",
    "maycall",
    "cancall",
    "docall",
    "callable",
    "permitted",
    "notlisted",
    "notregistered",
    "notdnc",
    "nodnc",
    "notondnc",
    "optedin",
    "optin",
    "clean",
    "clear",
];
const NOTHING: &[&str] = &["", "na", "none", "null", "nil", "nan", "blank", "empty", "leer", "vide", "vacio", "keine", "keiner"];

const YES: &[&str] = &[
    "1",
    "y",
    "yes",
    "t",
    "true",
    "on",
    "x",
    "ja",
    "oui",
    "si",
    "sim",
    "da",
    "tak",
    "evet",
    "ano",
    "igen",
    "joo",
    "kylla",
    "да",
    "так",
    "是",
    "はい",
    "예",
    "네",
    "نعم",
    "כן",
    "ναι",
    "ya",
    "co",
    "ok",
    "okay",
    "allow",
    "allowed",
    "granted",
    "given",
    "agreed",
    "checked",
    "optedin",
    "optin",
    "consented",
    "wahr",
    "vrai",
    "verdadero",
    "verdadeiro",
    "vero",
];
const DENIED: &[&str] =
    &["optedout", "optout", "revoked", "withdrawn", "denied", "refused", "declined", "donotallow", "notallowed", "donotcall", "dnc", "widerrufen"];

fn key(value: &str) -> String {
    fold(value).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn one_of(key: &str, list: &[&str]) -> bool {
    list.iter().any(|w| *w == key || (!w.is_ascii() && fold(w) == key))
}

fn is_zero(value: &str) -> bool {
    let digits = value.trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0' | b'.' | b',')) && digits.contains('0')
}

/// As spreadsheets write a one.
fn is_one(value: &str) -> bool {
    let zeros = value.strip_prefix("1.").or_else(|| value.strip_prefix("1,"));
    zeros.is_some_and(|z| z.bytes().all(|b| b == b'0'))
}

/// A cell without letters or digits under "may be called": an empty box and a cross forbid, a tick and nothing do not; of
/// any other sign it cannot be told.
fn by_sign(value: &str) -> Option<bool> {
    // Boxes, crosses, no entry, prohibited; the multiplication signs.
    const CROSSES: &[char] = &['☐', '□', '⬜', '◻', '✗', '✘', '✕', '✖', '☒', '❌', '❎', '⨯', '×', '⛔', '🚫', '🛑', '👎'];
    const TICKS: &[char] = &['✓', '✔', '☑', '✅', '🗹', '○', '◯', '⭕', '👍'];
    let mut signs = value.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{fe0e}' | '\u{fe0f}')).peekable();
    if signs.peek().is_none() || signs.clone().all(|c| TICKS.contains(&c)) {
        return Some(false);
    }
    signs.any(|c| CROSSES.contains(&c)).then_some(true)
}

/// Whether a cell of a do-not-call column says "do not call": everything but a clear "no" does.
pub fn says_no(value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() {
        return false;
    }
    let key = key(value);
    // A tick has no letters, an empty box and a dash neither.
    if key.is_empty() {
        return !value.chars().all(|c| c.is_whitespace() || matches!(c, '-' | '\u{2013}' | '\u{2014}' | '.' | '/' | '\u{2610}' | '\u{25a1}' | '\u{2b1c}'));
    }
    !(one_of(&key, NO) || one_of(&key, NOTHING) || is_zero(value))
}

/// Whether a cell of a column of who may be called forbids it; `None` when it cannot be told.
pub fn forbids(value: &str) -> Option<bool> {
    let value = value.trim();
    let key = key(value);
    if key.is_empty() {
        return by_sign(value);
    }
    let day = value.parse::<NaiveDate>().is_ok() || DateTime::parse_from_rfc3339(value).is_ok();
    if one_of(&key, YES) || one_of(&key, NOTHING) || day || is_one(value) {
        return Some(false);
    }
    (one_of(&key, NO) || one_of(&key, DENIED) || is_zero(value)).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A phrase without a hint would be read in headers alone.
    #[test]
    fn every_phrase_is_hinted_at() {
        let hints = HINTS.as_ref().unwrap();
        let without: Vec<&str> = PHRASES.iter().copied().filter(|p| !hints.is_match(p)).collect();
        assert!(without.is_empty(), "{without:?}");
    }
}
