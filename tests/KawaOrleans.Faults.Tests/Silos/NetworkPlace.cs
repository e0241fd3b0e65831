namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>A network namespace that a silo runs in.</summary>
/// <param name="Namespace">Its name.</param>
/// <param name="Address">The silo's address.</param>
internal sealed record NetworkPlace(string Namespace, string Address);
