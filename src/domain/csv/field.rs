//! What a column can mean, the spellings of it, and how an operator says which is which.

use super::headers;
use crate::domain::{place, text::clean};

/// The columns with a meaning of their own; all others serve the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Phone,
    Name,
    FirstName,
    LastName,
    Email,
    Company,
    Notes,
    Zone,
    State,
    Postcode,
    DoNotCall,
    MayCall,
    ConsentAt,
    ConsentSource,
}

/// Of the person's own clock: a salesman's or a server's would take zones of the number away.
const ZONES: &[&str] = &[
    "timezone",
    "zone",
    "tz",
    "iana",
    "timezonename",
    "contacttimezone",
    "leadtimezone",
    "timezoneiana",
    "zeitzone",
    "localtimezone",
    "customertimezone",
    "hstimezone",
    "zonahoraria",
    "fusohorario",
    "fuseauhoraire",
    "fusoorario",
    "时区",
    "時區",
];

impl Field {
    pub const ALL: [Self; 14] = [
        Self::Phone,
        Self::Name,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Company,
        Self::Notes,
        Self::Zone,
        Self::State,
        Self::Postcode,
        Self::DoNotCall,
        Self::MayCall,
        Self::ConsentAt,
        Self::ConsentSource,
    ];
    pub(super) const NAMES: &'static str =
        "phone, name, first_name, last_name, email, company, notes, timezone, state, postcode, do_not_call, may_call, consent_at, consent_source, ignore";

    #[must_use]
    pub fn name(self) -> &'static str {
        self.aliases()[0]
    }

    /// Header spellings as `headers::key` has them; whole names only, never a part of one ("Cancelled" is no
    /// cell phone). Phones and do-not-call are recognised by their words instead.
    pub(super) fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Phone => &["phone"],
            Self::Name => &[
                "name",
                "fullname",
                "contactname",
                "contact",
                "customername",
                "customer",
                "leadname",
                "displayname",
                "fileas",
                "nomcomplet",
                "nombrecompleto",
                "nomecompleto",
                "nombre",
                "nome",
                "имя",
                "фио",
                "姓名",
                "氏名",
                "이름",
            ],
            Self::FirstName => &["firstname", "first", "givenname", "forename", "vorname", "prenom", "voornaam", "imie", "fornamn", "fornavn", "jmeno"],
            Self::LastName => &[
                "lastname",
                "last",
                "surname",
                "familyname",
                "nachname",
                "nom",
                "apellido",
                "apellidos",
                "cognome",
                "sobrenome",
                "achternaam",
                "nazwisko",
                "efternamn",
                "etternavn",
                "prijmeni",
                "фамилия",
            ],
            Self::Email => &[
                "email",
                "emailaddress",
                "mail",
                "emailid",
                "contactemail",
                "email1value",
                "email1",
                "primaryemail",
                "correo",
                "correoelectronico",
                "courriel",
                "adressemail",
            ],
            Self::Company => &[
                "company",
                "companyname",
                "organisation",
                "organization",
                "business",
                "employer",
                "firma",
                "accountname",
                "organizationname",
                "organization1name",
                "empresa",
                "societe",
                "entreprise",
                "azienda",
                "bedrijf",
            ],
            Self::Notes => &["notes", "note", "comment", "comments", "remarks", "notizen", "bemerkung", "notas", "description"],
            Self::ConsentAt => &["consentat", "consentdate", "consenttime", "optedinat", "optinat", "optindate", "consentgivenat"],
            Self::ConsentSource => &["consentsource", "optinsource", "consentby", "consentchannel"],
            Self::Zone => ZONES,
            Self::State => place::STATE_COLUMNS,
            Self::Postcode => place::POSTCODE_COLUMNS,
            Self::DoNotCall => &["donotcall", "dnc"],
            Self::MayCall => &["maycall"],
        }
    }

    /// The field whose alias a header is.
    pub(super) fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.aliases().contains(&key))
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::of(&headers::key(name))
    }
}

/// `phone=Mobile` pairs that override the guess; the field [`IGNORE`] keeps a column from being taken
/// for anything (scripts may still use it).
pub type Mapping = Vec<(String, String)>;

/// See [`Mapping`].
pub const IGNORE: &str = "ignore";

/// `phone=Mobile,name=Customer` as it is written on the command line and in a form.
///
/// # Errors
/// The pair that is none.
pub fn mapping(text: &str) -> Result<Mapping, String> {
    let pairs = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    pairs
        .map(|pair| {
            let (field, column) = pair.split_once('=').ok_or_else(|| format!("wants field=Column, not \"{}\"", clean(pair, 60)))?;
            Ok((field.trim().to_owned(), column.trim().to_owned()))
        })
        .collect()
}
