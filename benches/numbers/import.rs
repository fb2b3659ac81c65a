use std::{fmt::Write, io::Write as _, time::Instant};

use dialdeck::{
    desk::{Import, Progress},
    domain::phone,
    store::ContactTable,
};
use tokio_util::sync::CancellationToken;

use crate::{peak_memory, setup};

const ROWS: u32 = 1_000_000;

/// Area codes of the four zones of the continental United States.
const AREAS: [u32; 8] = [202, 212, 312, 214, 303, 602, 213, 415];

pub fn run() {
    setup::runtime().block_on(async {
        let bench = setup::Bench::new().await;
        let path = bench.dir.path().join("contacts.csv");
        write_csv(&path);
        for (table, name) in [(ContactTable::CsvFile, "CSV file"), (ContactTable::ContactList, "contact list")] {
            let size = std::fs::metadata(&path).unwrap().len();
            let import = Import { table, name: name.into(), region: phone::region("US").ok(), mapping: Vec::new(), size: Some(size), dry_run: false };
            let progress = tokio::sync::watch::Sender::new(Progress::default());
            let started = Instant::now();
            let file = std::fs::File::open(&path).unwrap();
            let (_, report) = bench.desk.import(bench.actor.clone(), import, file, progress, CancellationToken::new()).await.unwrap();
            let took = started.elapsed().as_secs_f64();
            println!(
                "as {name}: {took:.2} s, {:.0} rows/s; imported {}, duplicate {}, invalid {}, no zone {}; peak memory {} MiB   (target 5 s, 100 MiB)",
                f64::from(ROWS) / took,
                report.imported,
                report.duplicate,
                report.invalid,
                report.no_zone,
                peak_memory()
            );
        }
    });
}

/// Three of a hundred are duplicates, two are no numbers.
fn write_csv(path: &std::path::Path) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut line = String::from("name,phone,company,email,city\n");
    for i in 0..ROWS {
        let n = if i % 100 < 3 && i > 1000 { i - 1000 } else { i };
        let area = AREAS[(n % 8) as usize];
        if i % 100 > 97 {
            writeln!(line, "Contact {i},12345,Acme,c{i}@example.com,Town {}", i % 900).unwrap();
        } else {
            writeln!(line, "Contact {i},({area}) {:03}-{:04},Acme,c{i}@example.com,Town {}", 200 + n / 8 / 10_000, n / 8 % 10_000, i % 900).unwrap();
        }
        file.write_all(line.as_bytes()).unwrap();
        line.clear();
    }
    file.flush().unwrap();
}
