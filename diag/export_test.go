package diag

// PortRange is for the test that asks a real kernel.
var PortRange = portRange
