using System.Runtime.InteropServices;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>Touched memory outside the collected heap, page-aligned as a map is.</summary>
internal sealed unsafe class TouchedMemory : IDisposable
{
    private const int PageBytes = 4096;

    private readonly byte* _start;

    public TouchedMemory(int bytes)
    {
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, PageBytes);
        Bytes(0, bytes).Fill(1);
    }

    public Span<byte> Bytes(int offset, int length) => new(_start + offset, length);

    public void Dispose() => NativeMemory.AlignedFree(_start);
}
