using MemoryPack;

namespace KawaOrleans;

/// <summary>Events whose data is a value encoded by MemoryPack, under an explicit type name.</summary>
public static class TypedEvent
{
    /// <summary>An event with this value as its data; add an id, metadata or an occurred time with <c>with</c>.</summary>
    /// <typeparam name="T">A type that MemoryPack can encode, usually one marked <see cref="MemoryPackableAttribute"/>.</typeparam>
    /// <param name="stream">The stream's name.</param>
    /// <param name="type">The event type's name as the log keeps it.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="MemoryPackSerializationException">MemoryPack cannot encode <typeparamref name="T"/>.</exception>
    public static EventData Encode<T>(string stream, string type, T value) => new(stream, type, MemoryPackSerializer.Serialize(value));

    /// <summary>The value that <see cref="Encode{T}"/> made the event of. Ask <see cref="RecordedEvent.Type"/> first which type it is:
    /// the bytes themselves do not tell.</summary>
    /// <exception cref="MemoryPackSerializationException">The bytes are no <typeparamref name="T"/>.</exception>
    public static T? Decode<T>(this RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        return MemoryPackSerializer.Deserialize<T>(recorded.Data.Span);
    }
}
