using System.Numerics;

namespace KawaOrleans.Storage.Streams;

/// <summary>Many growing lists of numbers in one store: 4 bytes a number and at most as much again for room to grow.</summary>
/// <remarks>A list lies in blocks of 2, 4, 8 … 1,024, 1,024 … numbers, each behind a link to the block before it. So a list is named by its
/// last block and its count, takes nothing while it is empty, and its n-th number is found in n / 1,024 steps at the most.</remarks>
internal sealed class PositionLists
{
    private const int ChunkEntries = 64 * 1024;
    private const int LargestBits = 10;
    private const int BeforeLargest = (1 << LargestBits) - 2;

    private readonly List<uint[]> _chunks = [];
    private int _used = ChunkEntries;

    /// <summary>Adds to the list of this count and last block (ignored when the count is 0); answers the last block.</summary>
    public uint Add(uint last, int count, uint number)
    {
        var (begin, size) = BlockOf(count);
        if (count == begin)
        {
            last = Allocate(size, last);
        }

        At(last, 1 + count - begin) = number;
        return last;
    }

    /// <summary>Copies the numbers of a list from an index on, as many as the target takes.</summary>
    public void Copy(uint last, int count, int from, Span<uint> target)
    {
        var behind = count;
        while (behind > from)
        {
            var (begin, _) = BlockOf(behind - 1);
            var (start, end) = (Math.Max(begin, from), Math.Min(behind, from + target.Length));
            for (var i = start; i < end; i++)
            {
                target[i - from] = At(last, 1 + i - begin);
            }

            behind = begin;
            last = At(last, 0);
        }
    }

    /// <summary>The first index and the size of the block that holds an index.</summary>
    private static (int Begin, int Size) BlockOf(int index)
    {
        if (index < BeforeLargest)
        {
            var bits = BitOperations.Log2((uint)index + 2);
            return ((1 << bits) - 2, 1 << bits);
        }

        const int Largest = 1 << LargestBits;
        return (index - ((index - BeforeLargest) % Largest), Largest);
    }

    private uint Allocate(int size, uint link)
    {
        if (_used + size + 1 > ChunkEntries)
        {
            _chunks.Add(new uint[ChunkEntries]);
            _used = 0;
        }

        var block = (uint)(((_chunks.Count - 1) * ChunkEntries) + _used);
        _used += size + 1;
        At(block, 0) = link;
        return block;
    }

    private ref uint At(uint block, int index)
    {
        var at = block + (uint)index;
        return ref _chunks[(int)(at / ChunkEntries)][at % ChunkEntries];
    }
}
