//! Contacts, and who must not be called.

use super::{
    super::{
        bodies::{ContactBody, DoNotCallBody, ListBody, ReasonBody},
        rows::contacts::{Contact, ContactList, CsvFile, ImportReport, ListReport, SourceStats, Suppressed},
        schemas::{count, flag, text, uuid},
    },
    Body, CONTACTS, DO_NOT_CALL, Said, say,
};

const REGION: (&str, &str) = ("region", "Country of numbers written without +");
const MAP: (&str, &str) = ("map", "Columns by hand: phone=Mobile,name=Customer");

pub fn table() -> Vec<Said> {
    let of = |method, path, summary| say(CONTACTS, method, path, summary);
    let dnc = |method, path, summary| say(DO_NOT_CALL, method, path, summary);
    vec![
        of("GET", "/csv", "One's CSV files").list::<CsvFile>("csvFiles"),
        of("POST", "/csv/upload", "Import contacts from a CSV file")
            .more("The fields come in any order. An upload that breaks off leaves no file. ")
            .comes_as(Body::Form(&[REGION, MAP]))
            .message()
            .key("csvFileId", uuid)
            .key("contactCount", count)
            .with::<ImportReport>("report")
            .conflicts()
            .made()
            .once(),
        of("GET", "/contact-lists", "One's contact lists").list::<ContactList>("contactLists"),
        of("GET", "/csv/{id}", "A CSV file").with::<CsvFile>("csvFile"),
        of("DELETE", "/csv/{id}", "Delete a CSV file that no campaign uses").message().conflicts(),
        of("GET", "/csv/{id}/stats", "Figures of a CSV file").with::<SourceStats>("stats"),
        of("GET", "/csv/{id}/contacts", "Contacts of a CSV file").list::<Contact>("contacts"),
        of("POST", "/csv/{id}/contacts", "Add a contact to a CSV file").takes::<ContactBody>().with::<Contact>("contact").conflicts().made(),
        of("GET", "/csv/contacts/{id}", "A contact of a CSV file").with::<Contact>("contact"),
        of("PATCH", "/csv/contacts/{id}", "Change a contact").takes::<ContactBody>().with::<Contact>("contact").conflicts(),
        of("DELETE", "/csv/contacts/{id}", "Delete a contact; it is not dialled").message().conflicts(),
        of("POST", "/contact-lists", "Make a contact list").takes::<ListBody>().with::<ContactList>("contactList").made(),
        of("GET", "/contact-lists/{id}", "A contact list").with::<ContactList>("contactList"),
        of("PUT", "/contact-lists/{id}", "Change a contact list").takes::<ListBody>().with::<ContactList>("contactList"),
        of("DELETE", "/contact-lists/{id}", "Delete a contact list that no campaign uses").message().conflicts(),
        of("GET", "/contact-lists/{id}/contacts", "Contacts of a list").list::<Contact>("contacts"),
        of("POST", "/contact-lists/{id}/contacts", "Add a contact to a list; a campaign over it calls it too")
            .takes::<ContactBody>()
            .with::<Contact>("contact")
            .conflicts()
            .made(),
        of("GET", "/contacts/{id}", "A contact of a list").with::<Contact>("contact"),
        of("PATCH", "/contacts/{id}", "Change a contact").takes::<ContactBody>().with::<Contact>("contact").conflicts(),
        of("DELETE", "/contacts/{id}", "Delete a contact; it is not dialled").message().conflicts(),
        dnc("GET", "/do-not-call", "Numbers that are not called").list::<Suppressed>("doNotCall"),
        dnc("POST", "/do-not-call", "Never call a number again").takes::<DoNotCallBody>().key("number", text).key("new", flag).made(),
        dnc("POST", "/do-not-call/import", "Numbers from a file, or a country's national list")
            .comes_as(Body::Form(&[
                REGION,
                MAP,
                ("national", "true: it is a country's list"),
                ("country", "Whose; that of its numbers unless given"),
                ("asOf", "Of which day the national list is"),
                ("acceptSmaller", "true: it may be shorter than the one before"),
            ]))
            .with::<ListReport>("report")
            .made(),
        dnc("DELETE", "/do-not-call/{number}", "Take a number off the list").takes::<ReasonBody>().message(),
    ]
}
