using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>What a sealed segment needs in memory to be read: its map and its footer.</summary>
internal sealed record SealedView(IFileMap Map, Footer Footer);

/// <summary>The views of sealed segments, opened on demand; the least recently used goes first. A view still in use by a reader
/// or a message lives on after it left.</summary>
internal sealed class MapCache(int capacity = MapCache.DefaultCapacity)
{
    /// <summary>The kernel allows 65,530 maps a process; a node with more sealed segments than this reopens cold ones. Each is an object or two and
    /// a map, no handle.</summary>
    public const int DefaultCapacity = 4096;

    private readonly Dictionary<Segment, LinkedListNode<(Segment Segment, SealedView View)>> _views = [];
    private readonly LinkedList<(Segment Segment, SealedView View)> _byUse = new();
    private readonly Lock _gate = new();

    public SealedView Get(Segment segment, Func<SealedView> open)
    {
        lock (_gate)
        {
            if (_views.TryGetValue(segment, out var known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value.View;
            }
        }

        // Opened outside the lock: it may scan a segment whose footer is missing. Two openers of one segment are harmless.
        var view = open();
        lock (_gate)
        {
            Drop(segment);
            _views[segment] = _byUse.AddFirst((segment, view));
            if (_views.Count > capacity)
            {
                Drop(_byUse.Last!.Value.Segment);
            }
        }

        return view;
    }

    public void Remove(Segment segment)
    {
        lock (_gate)
        {
            Drop(segment);
        }
    }

    private void Drop(Segment segment)
    {
        if (_views.Remove(segment, out var node))
        {
            _byUse.Remove(node);
        }
    }
}
