//! Has the program built again when the folder of the web page has a new file: what was there is followed anyway.

fn main() {
    println!("cargo::rerun-if-changed=web");
}
