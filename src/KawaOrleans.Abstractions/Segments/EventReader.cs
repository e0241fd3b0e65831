using System.Diagnostics.CodeAnalysis;

namespace KawaOrleans;

/// <summary>Walks the events of a <see cref="FrameBlock"/> without allocating.</summary>
public ref struct EventReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private FrameCursor _cursor;
    private EventFrame _current;

    internal EventReader(FrameBlock block, long from, long to)
    {
        _bytes = block.Bytes.Bytes.Span;
        _cursor = new FrameCursor(block, from, to);
    }

    /// <summary>The event last read.</summary>
    [UnscopedRef]
    public readonly ref readonly EventFrame Current => ref _current;

    /// <summary>So that <c>foreach</c> works.</summary>
    public readonly EventReader GetEnumerator() => this;

    /// <summary>Goes to the next event in the range.</summary>
    /// <exception cref="CorruptBlockException">A frame does not verify.</exception>
    public bool MoveNext() => _cursor.TryRead(_bytes, out _current);
}
