using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>One event as a user appends it.</summary>
/// <param name="Stream">The stream's name: 1 to 512 bytes of UTF-8, no control characters, no leading <c>$</c>.</param>
/// <param name="Type">The event type's name, under the same rule.</param>
/// <param name="Data">The payload, opaque to the store.</param>
public sealed record EventData(string Stream, string Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>The event's id, the writer's choice; random unless set. It names one event of its log: repeat it, with the same content, when
    /// repeating an append.</summary>
    public Guid Id { get; init; } = RandomId.Next();

    /// <summary>Opaque bytes about the event; empty unless set.</summary>
    public ReadOnlyMemory<byte> Metadata { get; init; }

    /// <summary>When it happened in the user's world, if that is known; kept to 100 ns, as UTC.</summary>
    public DateTimeOffset? Occurred { get; init; }
}
