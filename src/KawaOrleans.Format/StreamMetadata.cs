using System.Buffers.Binary;

namespace KawaOrleans;

/// <summary>What is said of a stream: which of its events readers see, and what its users add. Kept as the last event of a stream of its own
/// (<see cref="StreamOf"/>), so it has revisions too and is as durable and as ordered as events are.</summary>
/// <remarks>Takes effect for every read of the stream that begins after it was acknowledged. Reads of the log, by position, show all events.</remarks>
public sealed record StreamMetadata
{
    /// <summary>What the name of a stream of metadata begins with.</summary>
    internal const string Prefix = "$meta/";

    /// <summary>By how much such a name may be longer than a user's.</summary>
    internal const int PrefixBytes = 6;

    internal static ReadOnlySpan<byte> PrefixUtf8 => "$meta/"u8;

    private const int Version = 1;
    private const int Bytes = 28;

    /// <summary>Of a stream of which nothing was said: all its events are seen.</summary>
    public static StreamMetadata None { get; } = new();

    /// <summary>The revision of the first event that is seen; those before are hidden. 0 (the default): none is. A lower one than before shows events
    /// again, as long as they are there.</summary>
    public long TruncateBefore { get; init; }

    /// <summary>Only so many of the newest events are seen, at least 1; null (the default): as many as there are.</summary>
    public long? MaxCount { get; init; }

    /// <summary>Only events younger than this are seen; null (the default): of any age. An event's age is its <see cref="RecordedEvent.Recorded"/>, the writer's
    /// clock, compared with the reader's clock when the read begins.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>What the stream's users keep with it; opaque to the store. Empty unless set.</summary>
    public ReadOnlyMemory<byte> Custom { get; init; }

    /// <summary>The name of the stream that holds the metadata of another.</summary>
    public static string StreamOf(string stream) => Prefix + stream;

    /// <summary>Reads what an event of type <c>$metadata</c> holds; null when the bytes are none, or of a later version.</summary>
    /// <param name="data">The event's data.</param>
    /// <param name="custom">The event's metadata.</param>
    public static StreamMetadata? Decode(ReadOnlySpan<byte> data, ReadOnlyMemory<byte> custom)
    {
        if (data.Length != Bytes || BinaryPrimitives.ReadInt32LittleEndian(data) != Version)
        {
            return null;
        }

        var (count, age) = (BinaryPrimitives.ReadInt64LittleEndian(data[12..]), BinaryPrimitives.ReadInt64LittleEndian(data[20..]));
        return new StreamMetadata
        {
            TruncateBefore = BinaryPrimitives.ReadInt64LittleEndian(data[4..]),
            MaxCount = count == 0 ? null : count,
            MaxAge = age == 0 ? null : TimeSpan.FromTicks(age),
            Custom = custom,
        };
    }

    /// <summary>Why no stream can have these, or null when it can.</summary>
    public string? WhyNot() => this switch
    {
        { TruncateBefore: < 0 } => $"{nameof(TruncateBefore)} is a revision, 0 or more, not {TruncateBefore}",
        { MaxCount: < 1 } => $"{nameof(MaxCount)} is at least 1, not {MaxCount}; to hide all events delete the stream",
        { MaxAge: { } age } when age <= TimeSpan.Zero => $"{nameof(MaxAge)} is more than nothing, not {age}",
        _ => null,
    };

    /// <inheritdoc/>
    public bool Equals(StreamMetadata? other) => other is not null
        && (TruncateBefore, MaxCount, MaxAge) == (other.TruncateBefore, other.MaxCount, other.MaxAge) && Custom.Span.SequenceEqual(other.Custom.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(TruncateBefore, MaxCount, MaxAge, Custom.Length);

    internal EventData ToEvent(string stream)
    {
        var data = new byte[Bytes];
        BinaryPrimitives.WriteInt32LittleEndian(data, Version);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(4), TruncateBefore);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(12), MaxCount ?? 0);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(20), MaxAge?.Ticks ?? 0);
        return new EventData(StreamOf(stream), StreamChange.MetadataType, data) { Metadata = Custom };
    }
}
