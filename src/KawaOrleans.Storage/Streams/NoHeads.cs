namespace KawaOrleans.Storage.Streams;

/// <summary>Nothing lies before: the segment is its log's first, or is used alone.</summary>
internal sealed class NoHeads : IStreamHeads
{
    public static NoHeads Instance { get; } = new();

    public StreamHead? Find(StreamName name) => null;
}
