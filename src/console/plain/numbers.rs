//! Numbers for what is named in lines: given once, and never to another.

use std::{collections::HashMap, hash::Hash};

#[derive(Debug)]
pub struct Numbers<Id> {
    given: Vec<Id>,
    of: HashMap<Id, usize>,
}

impl<Id> Default for Numbers<Id> {
    fn default() -> Self {
        Self { given: Vec::new(), of: HashMap::new() }
    }
}

impl<Id: Copy + Eq + Hash> Numbers<Id> {
    pub fn of(&mut self, id: Id) -> usize {
        *self.of.entry(id).or_insert_with(|| {
            self.given.push(id);
            self.given.len()
        })
    }

    #[must_use]
    pub fn id(&self, number: usize) -> Option<Id> {
        self.given.get(number.checked_sub(1)?).copied()
    }
}
