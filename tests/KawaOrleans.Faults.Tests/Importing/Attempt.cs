namespace KawaOrleans.Faults.Tests.Importing;

/// <summary>A batch that a client tried to append.</summary>
/// <param name="Events">What was in it.</param>
/// <param name="First">The position acknowledged for its first event, or null when the outcome is unknown.</param>
internal sealed record Attempt(IReadOnlyList<EventData> Events, long? First);
