//! `iverson report`.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod common;

use common::Folder;
use iverson::reports::data::{
    Expected, Point, Program, Quantity, Record, Setting, Source, Subject, Time,
};
use iverson::reports::write;

fn subject() -> Subject {
    let [family, function, derivative] = ["reads", "scalar_reads", "gradient"].map(str::to_owned);
    Subject { family, function, derivative }
}

fn program(dense: f64) -> Record {
    let stated = |strategy: &str, power| Expected {
        strategy: strategy.to_owned(),
        quantity: Quantity::Work,
        power,
    };
    Record::Program(Box::new(Program {
        subject: subject(),
        number: 1,
        title: "a loop of <scalar> reads".to_owned(),
        text: "fn scalar_reads(n: size) {}".to_owned(),
        ssa: "ssa".to_owned(),
        derived: "derived".to_owned(),
        simplified: "simplified".to_owned(),
        compact: String::new(),
        sources: vec![Source {
            title: "a thread".to_owned(),
            url: "https://example.org".to_owned(),
        }],
        expected: vec![stated("primal", 1.0), stated("dense", dense), stated("indicator", 1.0)],
    }))
}

fn point(strategy: &str, n: u64, work: u64) -> Record {
    let seconds = work as f64 * 1e-9;
    let text = |text: &str| text.to_owned();
    Record::Point(Box::new(Point {
        subject: subject(),
        strategy: text(strategy),
        engine: text("tape"),
        threads: 1,
        n,
        time: Some(Time { median: seconds, low: seconds, high: seconds, samples: 11 }),
        work: Some(work),
        peak_bytes: Some(8 * n),
        stopped: None,
        setting: Setting {
            machine: text("linux x86_64"),
            cpu: text("a processor, 2 cores"),
            second_cache: None,
            commit: text("abc"),
            rustc: text("rustc 1.95.0"),
            seed: 1,
            flags: text("--quick"),
            date: text("2026-01-31"),
        },
    }))
}

fn data(dense: f64) -> String {
    let mut records = vec![program(dense)];
    for n in [64, 128, 256, 512, 1024] {
        records.extend([
            point("primal", n, 2 * n),
            point("dense", n, n * n),
            point("indicator", n, 6 * n),
        ]);
    }
    write(&records)
}

#[test]
fn a_run_becomes_a_page_and_a_table() {
    let folder = Folder::new(&[("data.jsonl", &data(2.0))]);
    let text = folder.run("report data.jsonl --output out/report").ok();
    let row = text.lines().nth(1).expect("a row");
    let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let wanted = [
        "1 scalar_reads",
        "1.00",
        "2.00",
        "–",
        "1.00",
        "2.00 ± 0.00",
        "1.00 ± 0.00",
        "×171 at 1024",
        "–",
        "×3",
        "0.00 ± 0.00",
    ];
    assert_eq!(cells, wanted);
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).expect(name);
    let page = read("out/report/index.html");
    assert!(page.contains("a loop of &lt;scalar&gt; reads") && !page.contains("<scalar>"));
    assert!(page.contains("The work of every program grows as stated."));
    assert!(!page.contains("src=") && !page.contains("@import"), "the page needs a network");
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(read("out/report/summary.md").contains("| 1 scalar_reads | 1.00 | 2.00 |"));
}

#[test]
fn the_same_data_give_the_same_page() {
    let folder = Folder::new(&[("data.jsonl", &data(2.0))]);
    for out in ["a", "b"] {
        folder.run(&format!("report data.jsonl --output {out}")).ok();
    }
    let read = |name: &str| std::fs::read(folder.path(name)).expect(name);
    assert_eq!(read("a/index.html"), read("b/index.html"));
}

#[test]
fn the_data_of_the_project_give_its_page() {
    let folder = Folder::new(&[]);
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports");
    folder.run(&format!("report {reports}/data/slowdown.jsonl --output out")).ok();
    for name in ["index.html", "summary.md"] {
        let wanted = std::fs::read_to_string(format!("{reports}/pages/{name}")).expect(name);
        let found = std::fs::read_to_string(folder.path(&format!("out/{name}"))).expect(name);
        let mut lines = wanted.lines().zip(found.lines()).enumerate();
        let other = lines.find(|(_, (wanted, found))| wanted != found).map(|(at, _)| at + 1);
        assert!(wanted == found, "{name} is another one from line {other:?} on");
    }
}

#[test]
fn growth_that_is_not_as_stated_is_named() {
    let folder = Folder::new(&[("data.jsonl", &data(3.0))]);
    folder.run("report data.jsonl --output out").ok();
    let page = std::fs::read_to_string(folder.path("out/index.html")).expect("a page");
    let found = "scalar_reads, gradient: work of dense grows with power 2.00 ± 0.00, stated is 3";
    assert!(page.contains(found));
}

#[test]
fn data_that_are_no_records_are_refused() {
    let folder = Folder::new(&[("wrong.jsonl", "\n{}\n"), ("empty.jsonl", "")]);
    folder.run("report wrong.jsonl --output out").fails(1, "`wrong.jsonl`: line 2 is no record");
    folder.run("report empty.jsonl --output out").fails(1, "there is no program among the 0 lines");
    folder.run("report none.jsonl --output out").fails(1, "cannot read `none.jsonl`");
}
