//! Results that are zero but on an image of a smaller domain: values and an index map.
