using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>The tail that acknowledges what is in the page cache.</summary>
internal static class MappedTail
{
    /// <summary>Opens it on a prepared segment.</summary>
    public static MappedWriter Open(Segment segment) => (MappedWriter)segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);
}
