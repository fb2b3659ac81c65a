//! Every call ever, found while typing: a search goes along the index that narrows most, newest first, and looks at
//! a bounded number of calls; what else is asked for is compared on those. Words and digits go by an index that is
//! filled behind the dials; the newest calls, which it has not yet, are compared one by one.

mod asked;
mod find;
mod index;
mod words;

pub use asked::{CallSearch, Place};
pub(super) use find::found;
pub use find::{Found, FoundCall};
