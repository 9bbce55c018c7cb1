//! What `cargo bench` measured, as tables and a page.
