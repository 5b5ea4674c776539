// Code generated from testdata/snippets.txt by go test -update. DO NOT EDIT.

package yaegi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/url"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

func compiledSnippets() []compiledSnippet {
	return []compiledSnippet{
		{"assign/basic", setup0, native0},
		{"assign/string", setup1, native1},
		{"assign/bool", setup2, native2},
		{"assign/var-to-var", setup3, native3},
		{"assign/swap", setup4, native4},
		{"assign/swap-elements", setup5, native5},
		{"assign/rotate", setup6, native6},
		{"assign/fibonacci-step", setup7, native7},
		{"assign/index-and-var", setup8, native8},
		{"assign/struct-copy", setup9, native9},
		{"assign/array-copy", setup10, native10},
		{"assign/slice-alias", setup11, native11},
		{"assign/map-alias", setup12, native12},
		{"assign/pointer-alias", setup13, native13},
		{"assign/deref", setup14, native14},
		{"assign/deref-struct", setup15, native15},
		{"assign/deref-read-struct", setup16, native16},
		{"assign/address-of", setup17, native17},
		{"assign/address-of-field", setup18, native18},
		{"assign/address-of-element", setup19, native19},
		{"assign/address-of-struct", setup20, native20},
		{"assign/blank", setup21, native21},
		{"assign/blank-call", setup22, native22},
		{"assign/any", setup23, native23},
		{"assign/any-string", setup24, native24},
		{"assign/any-var", setup25, native25},
		{"assign/any-struct", setup26, native26},
		{"assign/any-pointer", setup27, native27},
		{"assign/any-nil", setup28, native28},
		{"assign/any-float", setup29, native29},
		{"assign/any-rune", setup30, native30},
		{"assign/any-bool", setup31, native31},
		{"assign/any-level", setup32, native32},
		{"assign/any-any", setup33, native33},
		{"assign/stringer", setup34, native34},
		{"assign/stringer-pointer", setup35, native35},
		{"assign/stringer-level", setup36, native36},
		{"assign/error", setup37, native37},
		{"assign/error-nil", setup38, native38},
		{"assign/error-call", setup39, native39},
		{"assign/error-call-nil", setup40, native40},
		{"assign/shape-any", setup41, native41},
		{"assign/func", setup42, native42},
		{"assign/func-nil", setup43, native43},
		{"assign/func-call", setup44, native44},
		{"assign/func-named", setup45, native45},
		{"assign/func-named-method", setup46, native46},
		{"assign/pointer-nil", setup47, native47},
		{"assign/slice-nil", setup48, native48},
		{"assign/map-nil", setup49, native49},
		{"assign/chan", setup50, native50},
		{"composite/struct", setup51, native51},
		{"composite/struct-positional", setup52, native52},
		{"composite/struct-zero", setup53, native53},
		{"composite/struct-pointer", setup54, native54},
		{"composite/struct-from-vars", setup55, native55},
		{"composite/struct-self", setup56, native56},
		{"composite/struct-twice", setup57, native57},
		{"composite/struct-local", setup58, native58},
		{"composite/struct-local-to-var", setup59, native59},
		{"composite/struct-arg", setup60, native60},
		{"composite/struct-arg-typed", setup61, native61},
		{"composite/struct-method", setup62, native62},
		{"composite/struct-hidden", setup63, native63},
		{"composite/struct-nested", setup64, native64},
		{"composite/struct-nested-fields", setup65, native65},
		{"composite/struct-any-field", setup66, native66},
		{"composite/struct-nil-fields", setup67, native67},
		{"composite/slice", setup68, native68},
		{"composite/slice-empty", setup69, native69},
		{"composite/slice-from-vars", setup70, native70},
		{"composite/slice-self", setup71, native71},
		{"composite/slice-keyed", setup72, native72},
		{"composite/slice-float", setup73, native73},
		{"composite/slice-float32", setup74, native74},
		{"composite/slice-string", setup75, native75},
		{"composite/slice-byte", setup76, native76},
		{"composite/slice-rune", setup77, native77},
		{"composite/slice-int64", setup78, native78},
		{"composite/slice-uint64", setup79, native79},
		{"composite/slice-level", setup80, native80},
		{"composite/slice-celsius", setup81, native81},
		{"composite/slice-named", setup82, native82},
		{"composite/slice-any", setup83, native83},
		{"composite/slice-error", setup84, native84},
		{"composite/slice-stringer", setup85, native85},
		{"composite/slice-struct", setup86, native86},
		{"composite/slice-struct-typed", setup87, native87},
		{"composite/slice-struct-vars", setup88, native88},
		{"composite/slice-pointer", setup89, native89},
		{"composite/slice-func", setup90, native90},
		{"composite/slice-slice", setup91, native91},
		{"composite/slice-map", setup92, native92},
		{"composite/array", setup93, native93},
		{"composite/array-short", setup94, native94},
		{"composite/array-dots", setup95, native95},
		{"composite/array-array", setup96, native96},
		{"composite/array-struct", setup97, native97},
		{"composite/map", setup98, native98},
		{"composite/map-empty", setup99, native99},
		{"composite/map-int", setup100, native100},
		{"composite/map-any", setup101, native101},
		{"composite/map-any-key", setup102, native102},
		{"composite/map-struct", setup103, native103},
		{"composite/map-struct-key", setup104, native104},
		{"composite/map-pointer", setup105, native105},
		{"composite/map-slice", setup106, native106},
		{"composite/map-named", setup107, native107},
		{"composite/map-level", setup108, native108},
		{"composite/map-rune", setup109, native109},
		{"composite/map-func", setup110, native110},
		{"composite/anonymous-struct", setup111, native111},
		{"composite/anonymous-struct-any", setup112, native112},
		{"composite/anonymous-struct-var", setup113, native113},
		{"composite/recursive", setup114, native114},
		{"composite/generic", setup115, native115},
		{"composite/generic-explicit", setup116, native116},
		{"opassign/int", setup117, native117},
		{"opassign/negative-division", setup118, native118},
		{"opassign/bits", setup119, native119},
		{"opassign/int8-wrap", setup120, native120},
		{"opassign/int8-mul", setup121, native121},
		{"opassign/int16-wrap", setup122, native122},
		{"opassign/int32-wrap", setup123, native123},
		{"opassign/int64-wrap", setup124, native124},
		{"opassign/int-wrap", setup125, native125},
		{"opassign/uint8-wrap", setup126, native126},
		{"opassign/uint8-sub", setup127, native127},
		{"opassign/uint16-wrap", setup128, native128},
		{"opassign/uint32-wrap", setup129, native129},
		{"opassign/uint32-sub", setup130, native130},
		{"opassign/uint64-wrap", setup131, native131},
		{"opassign/uint-wrap", setup132, native132},
		{"opassign/uint64-div", setup133, native133},
		{"opassign/uintptr", setup134, native134},
		{"opassign/float64", setup135, native135},
		{"opassign/float64-int-literal", setup136, native136},
		{"opassign/float32", setup137, native137},
		{"opassign/float32-precision", setup138, native138},
		{"opassign/complex128", setup139, native139},
		{"opassign/complex64", setup140, native140},
		{"opassign/string", setup141, native141},
		{"opassign/named", setup142, native142},
		{"opassign/level", setup143, native143},
		{"opassign/byte-named", setup144, native144},
		{"opassign/element", setup145, native145},
		{"opassign/element-uint8", setup146, native146},
		{"opassign/map", setup147, native147},
		{"opassign/map-float", setup148, native148},
		{"opassign/map-string", setup149, native149},
		{"opassign/field", setup150, native150},
		{"opassign/field-pointer", setup151, native151},
		{"opassign/deref", setup152, native152},
		{"opassign/nested", setup153, native153},
		{"opassign/variable-operand", setup154, native154},
		{"opassign/call-operand", setup155, native155},
		{"opassign/index-once", setup156, native156},
		{"opassign/shift-var", setup157, native157},
		{"opassign/shift-uint8", setup158, native158},
		{"opassign/shift-int8-right", setup159, native159},
		{"opassign/shift-over", setup160, native160},
		{"opassign/shift-right-over", setup161, native161},
		{"inc/int", setup162, native162},
		{"inc/dec", setup163, native163},
		{"inc/uint8-wrap", setup164, native164},
		{"inc/uint8-dec-wrap", setup165, native165},
		{"inc/int8-wrap", setup166, native166},
		{"inc/int32-wrap", setup167, native167},
		{"inc/uint64-wrap", setup168, native168},
		{"inc/float64", setup169, native169},
		{"inc/float32", setup170, native170},
		{"inc/complex", setup171, native171},
		{"inc/level", setup172, native172},
		{"inc/celsius", setup173, native173},
		{"inc/element", setup174, native174},
		{"inc/map", setup175, native175},
		{"inc/map-dec", setup176, native176},
		{"inc/map-level", setup177, native177},
		{"inc/field", setup178, native178},
		{"inc/field-pointer", setup179, native179},
		{"inc/deref", setup180, native180},
		{"inc/byte-element", setup181, native181},
		{"arith/int", setup182, native182},
		{"arith/int64-wrap", setup183, native183},
		{"arith/int8", setup184, native184},
		{"arith/int8-any", setup185, native185},
		{"arith/int8-compare", setup186, native186},
		{"arith/int8-div", setup187, native187},
		{"arith/int8-convert", setup188, native188},
		{"arith/uint8-chain", setup189, native189},
		{"arith/uint8-chain-sub", setup190, native190},
		{"arith/uint16", setup191, native191},
		{"arith/uint32", setup192, native192},
		{"arith/uint64", setup193, native193},
		{"arith/float64", setup194, native194},
		{"arith/float64-div-zero", setup195, native195},
		{"arith/float32", setup196, native196},
		{"arith/float32-chain", setup197, native197},
		{"arith/float32-any", setup198, native198},
		{"arith/float32-compare", setup199, native199},
		{"arith/fused", setup200, native200},
		{"arith/complex", setup201, native201},
		{"arith/complex64", setup202, native202},
		{"arith/complex-parts", setup203, native203},
		{"arith/complex64-parts", setup204, native204},
		{"arith/complex-build", setup205, native205},
		{"arith/complex64-build", setup206, native206},
		{"arith/unary", setup207, native207},
		{"arith/unary-uint8", setup208, native208},
		{"arith/unary-uint32", setup209, native209},
		{"arith/unary-int8", setup210, native210},
		{"arith/unary-float", setup211, native211},
		{"arith/unary-float32", setup212, native212},
		{"arith/unary-complex", setup213, native213},
		{"arith/unary-not", setup214, native214},
		{"arith/named", setup215, native215},
		{"arith/named-any", setup216, native216},
		{"arith/level-any", setup217, native217},
		{"arith/duration", setup218, native218},
		{"arith/duration-var", setup219, native219},
		{"arith/string", setup220, native220},
		{"arith/string-named-len", setup221, native221},
		{"arith/shift", setup222, native222},
		{"arith/shift-uint8", setup223, native223},
		{"arith/shift-uint8-wide", setup224, native224},
		{"arith/shift-const-left", setup225, native225},
		{"arith/shift-const-left-uint8", setup226, native226},
		{"arith/shift-const-any", setup227, native227},
		{"arith/shift-negative", setup228, native228},
		{"arith/shift-over", setup229, native229},
		{"arith/shift-int-right", setup230, native230},
		{"arith/mixed-literal-float", setup231, native231},
		{"arith/literal-int-div", setup232, native232},
		{"arith/order", setup233, native233},
		{"arith/short-circuit", setup234, native234},
		{"convert/int-kinds", setup235, native235},
		{"convert/negative-unsigned", setup236, native236},
		{"convert/unsigned-signed", setup237, native237},
		{"convert/float-int", setup238, native238},
		{"convert/int-float", setup239, native239},
		{"convert/float32-float64", setup240, native240},
		{"convert/float64-float32", setup241, native241},
		{"convert/float32-roundtrip-expr", setup242, native242},
		{"convert/int8-roundtrip-expr", setup243, native243},
		{"convert/uint8-expr", setup244, native244},
		{"convert/expr-operand", setup245, native245},
		{"convert/uint64-float", setup246, native246},
		{"convert/float-uint64", setup247, native247},
		{"convert/complex", setup248, native248},
		{"convert/named", setup249, native249},
		{"convert/named-literal", setup250, native250},
		{"convert/named-any", setup251, native251},
		{"convert/named-int", setup252, native252},
		{"convert/level-string-call", setup253, native253},
		{"convert/byte-named", setup254, native254},
		{"convert/string-rune", setup255, native255},
		{"convert/string-rune-literal", setup256, native256},
		{"convert/string-byte", setup257, native257},
		{"convert/string-bytes", setup258, native258},
		{"convert/string-runes", setup259, native259},
		{"convert/bytes-string", setup260, native260},
		{"convert/runes-string", setup261, native261},
		{"convert/bytes-literal", setup262, native262},
		{"convert/string-invalid", setup263, native263},
		{"convert/slice-named", setup264, native264},
		{"convert/slice-array", setup265, native265},
		{"convert/func-named", setup266, native266},
		{"convert/struct", setup267, native267},
		{"convert/interface", setup268, native268},
		{"convert/stringer", setup269, native269},
		{"convert/error-nil", setup270, native270},
		{"convert/pointer-nil", setup271, native271},
		{"convert/duration", setup272, native272},
		{"convert/const-any", setup273, native273},
		{"const/typed-any", setup274, native274},
		{"const/untyped-any", setup275, native275},
		{"const/float-from-int", setup276, native276},
		{"const/big", setup277, native277},
		{"const/big-div", setup278, native278},
		{"const/max-uint64", setup279, native279},
		{"const/min-int64", setup280, native280},
		{"const/max-float", setup281, native281},
		{"const/pi", setup282, native282},
		{"const/pi-any", setup283, native283},
		{"const/int-division", setup284, native284},
		{"const/rune", setup285, native285},
		{"const/rune-byte", setup286, native286},
		{"const/unicode", setup287, native287},
		{"const/hex", setup288, native288},
		{"const/hex-float", setup289, native289},
		{"const/string", setup290, native290},
		{"const/arith-named", setup291, native291},
		{"const/compare", setup292, native292},
		{"const/untyped-compare-var", setup293, native293},
		{"const/uint8-ops", setup294, native294},
		{"const/negative", setup295, native295},
		{"const/neg-float", setup296, native296},
		{"const/len-const", setup297, native297},
		{"const/local-decl", setup298, native298},
		{"const/local-decl-typed", setup299, native299},
		{"const/time-month", setup300, native300},
		{"compare/int", setup301, native301},
		{"compare/string", setup302, native302},
		{"compare/float-nan", setup303, native303},
		{"compare/float32", setup304, native304},
		{"compare/uint8", setup305, native305},
		{"compare/uint64", setup306, native306},
		{"compare/complex", setup307, native307},
		{"compare/bool", setup308, native308},
		{"compare/struct", setup309, native309},
		{"compare/struct-literal", setup310, native310},
		{"compare/array", setup311, native311},
		{"compare/pointer", setup312, native312},
		{"compare/pointer-nil", setup313, native313},
		{"compare/slice-nil", setup314, native314},
		{"compare/map-nil", setup315, native315},
		{"compare/func-nil", setup316, native316},
		{"compare/chan-nil", setup317, native317},
		{"compare/any-nil", setup318, native318},
		{"compare/error-nil", setup319, native319},
		{"compare/error-nil-call", setup320, native320},
		{"compare/error-typed-nil", setup321, native321},
		{"compare/any-any", setup322, native322},
		{"compare/any-types", setup323, native323},
		{"compare/any-const", setup324, native324},
		{"compare/any-var", setup325, native325},
		{"compare/any-var-type", setup326, native326},
		{"compare/any-struct", setup327, native327},
		{"compare/errors", setup328, native328},
		{"compare/any-slice-panic", setup329, native329},
		{"compare/stringer", setup330, native330},
		{"compare/level", setup331, native331},
		{"compare/array-any", setup332, native332},
		{"string/index", setup333, native333},
		{"string/index-any", setup334, native334},
		{"string/index-const", setup335, native335},
		{"string/slice", setup336, native336},
		{"string/slice-expr", setup337, native337},
		{"string/index-panic", setup338, native338},
		{"string/slice-panic", setup339, native339},
		{"string/slice-panic-order", setup340, native340},
		{"slice/index", setup341, native341},
		{"slice/index-uint8", setup342, native342},
		{"slice/index-expr", setup343, native343},
		{"slice/index-call", setup344, native344},
		{"slice/index-struct-field", setup345, native345},
		{"slice/index-pointer-field", setup346, native346},
		{"slice/set", setup347, native347},
		{"slice/set-any", setup348, native348},
		{"slice/set-struct", setup349, native349},
		{"slice/set-struct-var", setup350, native350},
		{"slice/set-error", setup351, native351},
		{"slice/set-2d", setup352, native352},
		{"slice/set-float32", setup353, native353},
		{"slice/set-uint8", setup354, native354},
		{"slice/set-string", setup355, native355},
		{"slice/set-nil", setup356, native356},
		{"slice/slice", setup357, native357},
		{"slice/slice3", setup358, native358},
		{"slice/slice-alias", setup359, native359},
		{"slice/slice-array", setup360, native360},
		{"slice/slice-string-named", setup361, native361},
		{"slice/index-panic", setup362, native362},
		{"slice/index-negative-panic", setup363, native363},
		{"slice/set-panic", setup364, native364},
		{"slice/nil-index-panic", setup365, native365},
		{"slice/slice-panic", setup366, native366},
		{"slice/slice-panic-order", setup367, native367},
		{"slice/array-index-panic", setup368, native368},
		{"slice/len-cap", setup369, native369},
		{"slice/make", setup370, native370},
		{"slice/make-cap", setup371, native371},
		{"slice/make-panic", setup372, native372},
		{"slice/copy", setup373, native373},
		{"slice/copy-string", setup374, native374},
		{"slice/copy-stmt", setup375, native375},
		{"slice/clear", setup376, native376},
		{"append/one", setup377, native377},
		{"append/nil", setup378, native378},
		{"append/many", setup379, native379},
		{"append/none", setup380, native380},
		{"append/variadic", setup381, native381},
		{"append/variadic-literal", setup382, native382},
		{"append/string-bytes", setup383, native383},
		{"append/var", setup384, native384},
		{"append/other", setup385, native385},
		{"append/any", setup386, native386},
		{"append/any-one", setup387, native387},
		{"append/any-nil", setup388, native388},
		{"append/any-var", setup389, native389},
		{"append/error", setup390, native390},
		{"append/stringer", setup391, native391},
		{"append/struct", setup392, native392},
		{"append/struct-one", setup393, native393},
		{"append/struct-var", setup394, native394},
		{"append/pointer", setup395, native395},
		{"append/string", setup396, native396},
		{"append/float", setup397, native397},
		{"append/float32", setup398, native398},
		{"append/uint8", setup399, native399},
		{"append/uint8-one", setup400, native400},
		{"append/rune", setup401, native401},
		{"append/level", setup402, native402},
		{"append/named", setup403, native403},
		{"append/slice", setup404, native404},
		{"append/func", setup405, native405},
		{"append/field", setup406, native406},
		{"append/map-element", setup407, native407},
		{"append/element", setup408, native408},
		{"append/alias", setup409, native409},
		{"append/bool", setup410, native410},
		{"append/int64", setup411, native411},
		{"append/complex", setup412, native412},
		{"append/duration", setup413, native413},
		{"append/map", setup414, native414},
		{"append/cap-growth", setup415, native415},
		{"array/set", setup416, native416},
		{"array/set-2d", setup417, native417},
		{"array/struct-field", setup418, native418},
		{"array/pointer", setup419, native419},
		{"array/len", setup420, native420},
		{"map/get", setup421, native421},
		{"map/get-key-var", setup422, native422},
		{"map/get-nil", setup423, native423},
		{"map/get-struct", setup424, native424},
		{"map/get-pointer", setup425, native425},
		{"map/get-slice", setup426, native426},
		{"map/get-map", setup427, native427},
		{"map/get-any", setup428, native428},
		{"map/get-any-arg", setup429, native429},
		{"map/get-float-key", setup430, native430},
		{"map/get-struct-key", setup431, native431},
		{"map/get-any-key", setup432, native432},
		{"map/get-rune-key", setup433, native433},
		{"map/get-level-key", setup434, native434},
		{"map/comma-ok", setup435, native435},
		{"map/comma-ok-missing", setup436, native436},
		{"map/comma-ok-blank", setup437, native437},
		{"map/comma-ok-define", setup438, native438},
		{"map/comma-ok-any", setup439, native439},
		{"map/comma-ok-nil-map", setup440, native440},
		{"map/comma-ok-to-element", setup441, native441},
		{"map/set", setup442, native442},
		{"map/set-any", setup443, native443},
		{"map/set-any-var", setup444, native444},
		{"map/set-any-key", setup445, native445},
		{"map/set-struct", setup446, native446},
		{"map/set-struct-var", setup447, native447},
		{"map/set-error", setup448, native448},
		{"map/set-slice", setup449, native449},
		{"map/set-int-key", setup450, native450},
		{"map/set-uint8-key", setup451, native451},
		{"map/set-float-key", setup452, native452},
		{"map/set-nil-panic", setup453, native453},
		{"map/inc-nil-panic", setup454, native454},
		{"map/set-unhashable-panic", setup455, native455},
		{"map/delete", setup456, native456},
		{"map/delete-var", setup457, native457},
		{"map/delete-nil", setup458, native458},
		{"map/delete-any-key", setup459, native459},
		{"map/len", setup460, native460},
		{"map/make", setup461, native461},
		{"map/make-size", setup462, native462},
		{"map/clear", setup463, native463},
		{"map/named", setup464, native464},
		{"field/get", setup465, native465},
		{"field/set", setup466, native466},
		{"field/pointer", setup467, native467},
		{"field/pointer-explicit", setup468, native468},
		{"field/embedded", setup469, native469},
		{"field/embedded-set-whole", setup470, native470},
		{"field/nested-pointer", setup471, native471},
		{"field/set-literal-pointer", setup472, native472},
		{"field/set-literal", setup473, native473},
		{"field/set-slice", setup474, native474},
		{"field/set-array", setup475, native475},
		{"field/set-any", setup476, native476},
		{"field/set-any-struct", setup477, native477},
		{"field/set-any-nil", setup478, native478},
		{"field/set-error", setup479, native479},
		{"field/set-error-call", setup480, native480},
		{"field/set-func", setup481, native481},
		{"field/func-call", setup482, native482},
		{"field/hidden", setup483, native483},
		{"field/hidden-pointer", setup484, native484},
		{"field/recursive", setup485, native485},
		{"field/recursive-link", setup486, native486},
		{"field/nil-panic", setup487, native487},
		{"field/nil-read-panic", setup488, native488},
		{"field/nil-deref-panic", setup489, native489},
		{"field/nil-deref-int-panic", setup490, native490},
		{"field/nil-deref-set-panic", setup491, native491},
		{"field/address-write", setup492, native492},
		{"field/copy-local", setup493, native493},
		{"field/float32", setup494, native494},
		{"method/value", setup495, native495},
		{"method/pointer", setup496, native496},
		{"method/pointer-through-pointer", setup497, native497},
		{"method/pointer-element", setup498, native498},
		{"method/pointer-field", setup499, native499},
		{"method/chain", setup500, native500},
		{"method/call-result", setup501, native501},
		{"method/map-element", setup502, native502},
		{"method/interface", setup503, native503},
		{"method/stringer", setup504, native504},
		{"method/error", setup505, native505},
		{"method/error-call", setup506, native506},
		{"method/named-float", setup507, native507},
		{"method/level", setup508, native508},
		{"method/slice-type", setup509, native509},
		{"method/hidden", setup510, native510},
		{"method/hidden-pointer", setup511, native511},
		{"method/func-type", setup512, native512},
		{"method/value-expr", setup513, native513},
		{"method/value-pointer-expr", setup514, native514},
		{"method/value-arg", setup515, native515},
		{"method/expr", setup516, native516},
		{"method/expr-pointer", setup517, native517},
		{"method/generic", setup518, native518},
		{"method/std", setup519, native519},
		{"method/std-pointer", setup520, native520},
		{"method/std-time", setup521, native521},
		{"method/nil-pointer-panic", setup522, native522},
		{"method/nil-pointer-pointer-panic", setup523, native523},
		{"method/nil-interface-panic", setup524, native524},
		{"method/nil-error-panic", setup525, native525},
		{"call/basic", setup526, native526},
		{"call/nested", setup527, native527},
		{"call/multi", setup528, native528},
		{"call/multi-define", setup529, native529},
		{"call/multi-redefine", setup530, native530},
		{"call/multi-blank", setup531, native531},
		{"call/multi-to-elements", setup532, native532},
		{"call/multi-to-fields", setup533, native533},
		{"call/multi-to-map", setup534, native534},
		{"call/multi-to-any", setup535, native535},
		{"call/multi-pass", setup536, native536},
		{"call/multi-pass-variadic", setup537, native537},
		{"call/error-result", setup538, native538},
		{"call/error-result-fail", setup539, native539},
		{"call/error-define", setup540, native540},
		{"call/variadic", setup541, native541},
		{"call/variadic-none", setup542, native542},
		{"call/variadic-spread", setup543, native543},
		{"call/variadic-mixed", setup544, native544},
		{"call/variadic-any", setup545, native545},
		{"call/variadic-any-spread", setup546, native546},
		{"call/variadic-any-slice", setup547, native547},
		{"call/any-nil", setup548, native548},
		{"call/any-kinds", setup549, native549},
		{"call/any-func", setup550, native550},
		{"call/any-literals", setup551, native551},
		{"call/any-compare", setup552, native552},
		{"call/stringer", setup553, native553},
		{"call/stringer-literal", setup554, native554},
		{"call/stringer-const", setup555, native555},
		{"call/shape", setup556, native556},
		{"call/shape-embedded", setup557, native557},
		{"call/error-arg", setup558, native558},
		{"call/func-arg", setup559, native559},
		{"call/func-arg-var", setup560, native560},
		{"call/func-arg-method", setup561, native561},
		{"call/func-arg-nil-panic", setup562, native562},
		{"call/func-result", setup563, native563},
		{"call/func-nil-panic", setup564, native564},
		{"call/std-func-arg", setup565, native565},
		{"call/const-conversion", setup566, native566},
		{"call/const-level", setup567, native567},
		{"call/nil-args", setup568, native568},
		{"call/pointer-arg", setup569, native569},
		{"call/pointer-arg-element", setup570, native570},
		{"call/pointer-arg-field", setup571, native571},
		{"call/map-arg", setup572, native572},
		{"call/statement", setup573, native573},
		{"call/panic-value", setup574, native574},
		{"call/panic-error", setup575, native575},
		{"call/panic-index", setup576, native576},
		{"call/order", setup577, native577},
		{"call/sort", setup578, native578},
		{"call/sort-interface", setup579, native579},
		{"call/sprintf", setup580, native580},
		{"call/sprintf-args", setup581, native581},
		{"call/sprint-nested", setup582, native582},
		{"call/errorf", setup583, native583},
		{"call/errors-is", setup584, native584},
		{"call/errors-as", setup585, native585},
		{"call/strings", setup586, native586},
		{"call/strings-multi", setup587, native587},
		{"call/strconv", setup588, native588},
		{"call/json", setup589, native589},
		{"call/json-unmarshal", setup590, native590},
		{"call/json-any", setup591, native591},
		{"call/sscan", setup592, native592},
		{"call/math", setup593, native593},
		{"call/time", setup594, native594},
		{"builtin/len-cap", setup595, native595},
		{"builtin/len-any", setup596, native596},
		{"builtin/new", setup597, native597},
		{"builtin/new-struct", setup598, native598},
		{"builtin/min-max", setup599, native599},
		{"builtin/min-max-float", setup600, native600},
		{"builtin/min-max-string", setup601, native601},
		{"builtin/panic", setup602, native602},
		{"builtin/panic-error", setup603, native603},
		{"builtin/panic-int", setup604, native604},
		{"builtin/panic-fmt", setup605, native605},
		{"builtin/panic-nil", setup606, native606},
		{"builtin/panic-struct", setup607, native607},
		{"builtin/close", setup608, native608},
		{"panic/div-zero", setup609, native609},
		{"panic/mod-zero", setup610, native610},
		{"panic/opassign-div-zero", setup611, native611},
		{"panic/div-zero-uint8", setup612, native612},
		{"panic/assert", setup613, native613},
		{"panic/assert-nil", setup614, native614},
		{"panic/assert-interface", setup615, native615},
		{"panic/convert-slice-array", setup616, native616},
		{"panic/partial", setup617, native617},
		{"panic/send-closed", setup618, native618},
		{"panic/close-nil", setup619, native619},
		{"assert/int", setup620, native620},
		{"assert/ok", setup621, native621},
		{"assert/not-ok", setup622, native622},
		{"assert/ok-define", setup623, native623},
		{"assert/ok-blank", setup624, native624},
		{"assert/struct", setup625, native625},
		{"assert/struct-ok", setup626, native626},
		{"assert/twin", setup627, native627},
		{"assert/pointer", setup628, native628},
		{"assert/interface", setup629, native629},
		{"assert/interface-ok", setup630, native630},
		{"assert/interface-not-ok", setup631, native631},
		{"assert/error", setup632, native632},
		{"assert/error-ok", setup633, native633},
		{"assert/level", setup634, native634},
		{"assert/slice", setup635, native635},
		{"assert/map", setup636, native636},
		{"assert/field", setup637, native637},
		{"assert/arith", setup638, native638},
		{"define/int", setup639, native639},
		{"define/string-any", setup640, native640},
		{"define/float", setup641, native641},
		{"define/rune", setup642, native642},
		{"define/byte", setup643, native643},
		{"define/level", setup644, native644},
		{"define/const-expr", setup645, native645},
		{"define/duration", setup646, native646},
		{"define/call", setup647, native647},
		{"define/slice", setup648, native648},
		{"define/map", setup649, native649},
		{"define/struct", setup650, native650},
		{"define/struct-pointer", setup651, native651},
		{"define/var-decl", setup652, native652},
		{"define/var-decl-typed", setup653, native653},
		{"define/var-decl-zero", setup654, native654},
		{"define/var-struct-method", setup655, native655},
		{"define/any", setup656, native656},
		{"define/error", setup657, native657},
		{"define/copy-session", setup658, native658},
		{"define/type-decl", setup659, native659},
		{"define/func-literal", setup660, native660},
		{"define/closure-capture", setup661, native661},
		{"define/closure-arg", setup662, native662},
		{"define/closure-result", setup663, native663},
		{"if/simple", setup664, native664},
		{"if/else", setup665, native665},
		{"if/else-if", setup666, native666},
		{"if/init", setup667, native667},
		{"if/init-ok", setup668, native668},
		{"if/init-err", setup669, native669},
		{"if/init-assert", setup670, native670},
		{"if/and-or", setup671, native671},
		{"if/bool-var", setup672, native672},
		{"if/call", setup673, native673},
		{"if/shadow", setup674, native674},
		{"if/return", setup675, native675},
		{"if/const", setup676, native676},
		{"for/three", setup677, native677},
		{"for/cond", setup678, native678},
		{"for/break-continue", setup679, native679},
		{"for/infinite-break", setup680, native680},
		{"for/nested", setup681, native681},
		{"for/label", setup682, native682},
		{"for/session-var", setup683, native683},
		{"for/address", setup684, native684},
		{"for/closure", setup685, native685},
		{"for/two-vars", setup686, native686},
		{"for/float", setup687, native687},
		{"for/uint8", setup688, native688},
		{"for/define-inside", setup689, native689},
		{"for/define-inside-zero", setup690, native690},
		{"for/define-inside-slice", setup691, native691},
		{"for/define-inside-struct", setup692, native692},
		{"for/define-inside-pointer", setup693, native693},
		{"for/define-inside-composite", setup694, native694},
		{"for/composite-map", setup695, native695},
		{"for/composite-slice-alias", setup696, native696},
		{"for/composite-pointer", setup697, native697},
		{"for/any-box", setup698, native698},
		{"for/any-box-map", setup699, native699},
		{"for/any-box-struct", setup700, native700},
		{"for/new-inside", setup701, native701},
		{"range/slice", setup702, native702},
		{"range/slice-index", setup703, native703},
		{"range/slice-value-copy", setup704, native704},
		{"range/slice-blank", setup705, native705},
		{"range/slice-grow", setup706, native706},
		{"range/array", setup707, native707},
		{"range/array-copy", setup708, native708},
		{"range/string", setup709, native709},
		{"range/string-var", setup710, native710},
		{"range/map", setup711, native711},
		{"range/map-keys", setup712, native712},
		{"range/map-delete", setup713, native713},
		{"range/map-nil", setup714, native714},
		{"range/int", setup715, native715},
		{"range/int-blank", setup716, native716},
		{"range/int-var", setup717, native717},
		{"range/func", setup718, native718},
		{"range/chan", setup719, native719},
		{"range/session-vars", setup720, native720},
		{"range/address", setup721, native721},
		{"range/any", setup722, native722},
		{"range/struct-method", setup723, native723},
		{"range/pointer", setup724, native724},
		{"range/array-pointer", setup725, native725},
		{"range/nested", setup726, native726},
		{"range/any-box", setup727, native727},
		{"range/break", setup728, native728},
		{"range/call", setup729, native729},
		{"range/bytes", setup730, native730},
		{"switch/int", setup731, native731},
		{"switch/default", setup732, native732},
		{"switch/none", setup733, native733},
		{"switch/string", setup734, native734},
		{"switch/true", setup735, native735},
		{"switch/fallthrough", setup736, native736},
		{"switch/break", setup737, native737},
		{"switch/init", setup738, native738},
		{"switch/level", setup739, native739},
		{"switch/any", setup740, native740},
		{"switch/default-first", setup741, native741},
		{"switch/call-cases", setup742, native742},
		{"typeswitch/basic", setup743, native743},
		{"typeswitch/multi", setup744, native744},
		{"typeswitch/nil", setup745, native745},
		{"typeswitch/struct", setup746, native746},
		{"typeswitch/interface", setup747, native747},
		{"typeswitch/error", setup748, native748},
		{"typeswitch/named", setup749, native749},
		{"chan/send-receive", setup750, native750},
		{"chan/receive-ok", setup751, native751},
		{"chan/receive-ok-define", setup752, native752},
		{"chan/receive-statement", setup753, native753},
		{"chan/send-any", setup754, native754},
		{"chan/send-struct", setup755, native755},
		{"chan/receive-expr", setup756, native756},
		{"chan/receive-any", setup757, native757},
		{"chan/select", setup758, native758},
		{"chan/select-default", setup759, native759},
		{"chan/select-send", setup760, native760},
		{"chan/error", setup761, native761},
		{"go/call", setup762, native762},
		{"defer/call", setup763, native763},
		{"goto/loop", setup764, native764},
		{"block/scope", setup765, native765},
		{"block/label-free", setup766, native766},
		{"paren/expr", setup767, native767},
		{"generic/call", setup768, native768},
		{"generic/max", setup769, native769},
		{"generic/keys", setup770, native770},
		{"pkgvar/read", setup771, native771},
		{"pkgvar/read-arg", setup772, native772},
		{"pkgvar/assign", setup773, native773},
		{"pkgvar/compare", setup774, native774},
		{"pkgvar/field", setup775, native775},
		{"pkgvar/method", setup776, native776},
		{"pkgtype/composite", setup777, native777},
		{"pkgtype/struct", setup778, native778},
		{"pkgtype/struct-literal", setup779, native779},
		{"pkgtype/pointer-literal", setup780, native780},
		{"pkgtype/func-type", setup781, native781},
		{"pkgtype/interface-var", setup782, native782},
		{"pkgtype/mutex", setup783, native783},
		{"pkgtype/reader", setup784, native784},
	}
}

func setup0(use func(...any)) {
	var x int
	use(&x)
}

func native0(use func(...any)) {
	var x int
	use(&x)
	x = 5
}

func setup1(use func(...any)) {
	var s string
	use(&s)
}

func native1(use func(...any)) {
	var s string
	use(&s)
	s = "a\tb" + `c\d`
}

func setup2(use func(...any)) {
	var a, b bool = true, false
	use(&a, &b)
}

func native2(use func(...any)) {
	var a, b bool = true, false
	use(&a, &b)
	a, b = b, a
}

func setup3(use func(...any)) {
	var x, y int = 1, 2
	use(&x, &y)
}

func native3(use func(...any)) {
	var x, y int = 1, 2
	use(&x, &y)
	y = x
	x = 9
}

func setup4(use func(...any)) {
	var x, y int = 1, 2
	use(&x, &y)
}

func native4(use func(...any)) {
	var x, y int = 1, 2
	use(&x, &y)
	x, y = y, x
}

func setup5(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
}

func native5(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
	s[0], s[2] = s[2], s[0]
}

func setup6(use func(...any)) {
	var a, b, c int = 1, 2, 3
	use(&a, &b, &c)
}

func native6(use func(...any)) {
	var a, b, c int = 1, 2, 3
	use(&a, &b, &c)
	a, b, c = b, c, a
}

func setup7(use func(...any)) {
	var a, b int = 3, 5
	use(&a, &b)
}

func native7(use func(...any)) {
	var a, b int = 3, 5
	use(&a, &b)
	a, b = b, a+b
}

func setup8(use func(...any)) {
	var i int = 0
	var s = []int{10, 20, 30}
	use(&i, &s)
}

func native8(use func(...any)) {
	var i int = 0
	var s = []int{10, 20, 30}
	use(&i, &s)
	i, s[i] = 2, 99
}

func setup9(use func(...any)) {
	var p, q = Point{1, 2, "p"}, Point{}
	use(&p, &q)
}

func native9(use func(...any)) {
	var p, q = Point{1, 2, "p"}, Point{}
	use(&p, &q)
	q = p
	p.X = 50
}

func setup10(use func(...any)) {
	var a, b = [3]int{1, 2, 3}, [3]int{}
	use(&a, &b)
}

func native10(use func(...any)) {
	var a, b = [3]int{1, 2, 3}, [3]int{}
	use(&a, &b)
	b = a
	a[0] = 50
}

func setup11(use func(...any)) {
	var a = []int{1, 2, 3}
	var b []int
	use(&a, &b)
}

func native11(use func(...any)) {
	var a = []int{1, 2, 3}
	var b []int
	use(&a, &b)
	b = a
	a[0] = 50
}

func setup12(use func(...any)) {
	var a = map[string]int{"k": 1}
	var b map[string]int
	use(&a, &b)
}

func native12(use func(...any)) {
	var a = map[string]int{"k": 1}
	var b map[string]int
	use(&a, &b)
	b = a
	a["j"] = 2
}

func setup13(use func(...any)) {
	var p = &Point{X: 1}
	var q *Point
	use(&p, &q)
}

func native13(use func(...any)) {
	var p = &Point{X: 1}
	var q *Point
	use(&p, &q)
	q = p
	p.X = 7
}

func setup14(use func(...any)) {
	var n int = 3
	var p = &n
	use(&n, &p)
}

func native14(use func(...any)) {
	var n int = 3
	var p = &n
	use(&n, &p)
	*p = 11
	n = *p + 1
}

func setup15(use func(...any)) {
	var p = &Point{X: 1}
	var q = Point{X: 5, Name: "q"}
	use(&p, &q)
}

func native15(use func(...any)) {
	var p = &Point{X: 1}
	var q = Point{X: 5, Name: "q"}
	use(&p, &q)
	*p = q
	q.X = 6
}

func setup16(use func(...any)) {
	var p = &Point{X: 1}
	var q Point
	use(&p, &q)
}

func native16(use func(...any)) {
	var p = &Point{X: 1}
	var q Point
	use(&p, &q)
	q = *p
	p.X = 8
}

func setup17(use func(...any)) {
	var n int = 3
	var p *int
	use(&n, &p)
}

func native17(use func(...any)) {
	var n int = 3
	var p *int
	use(&n, &p)
	p = &n
	*p = 4
}

func setup18(use func(...any)) {
	var q = Point{X: 1}
	var p *int
	use(&q, &p)
}

func native18(use func(...any)) {
	var q = Point{X: 1}
	var p *int
	use(&q, &p)
	p = &q.X
	*p = 4
}

func setup19(use func(...any)) {
	var s = []int{1, 2}
	var p *int
	use(&s, &p)
}

func native19(use func(...any)) {
	var s = []int{1, 2}
	var p *int
	use(&s, &p)
	p = &s[1]
	*p = 4
}

func setup20(use func(...any)) {
	var q = Point{X: 1}
	var p *Point
	use(&q, &p)
}

func native20(use func(...any)) {
	var q = Point{X: 1}
	var p *Point
	use(&q, &p)
	p = &q
	p.Y = 4
}

func setup21(use func(...any)) {
	var x int = 1
	use(&x)
}

func native21(use func(...any)) {
	var x int = 1
	use(&x)
	_ = x
	x = 2
}

func setup22(use func(...any)) {
	var x int
	use(&x)
}

func native22(use func(...any)) {
	var x int
	use(&x)
	_, x = 3, 4
	_, s := pair()
	x += len(s)
}

func setup23(use func(...any)) {
	var a any
	use(&a)
}

func native23(use func(...any)) {
	var a any
	use(&a)
	a = 5
}

func setup24(use func(...any)) {
	var a any
	use(&a)
}

func native24(use func(...any)) {
	var a any
	use(&a)
	a = "s"
}

func setup25(use func(...any)) {
	var x int8 = 5
	var a any
	use(&x, &a)
}

func native25(use func(...any)) {
	var x int8 = 5
	var a any
	use(&x, &a)
	a = x
}

func setup26(use func(...any)) {
	var p = Point{1, 2, "n"}
	var a any
	use(&p, &a)
}

func native26(use func(...any)) {
	var p = Point{1, 2, "n"}
	var a any
	use(&p, &a)
	a = p
	p.X = 4
}

func setup27(use func(...any)) {
	var p = &Point{1, 2, "n"}
	var a any
	use(&p, &a)
}

func native27(use func(...any)) {
	var p = &Point{1, 2, "n"}
	var a any
	use(&p, &a)
	a = p
}

func setup28(use func(...any)) {
	var a any = 3
	use(&a)
}

func native28(use func(...any)) {
	var a any = 3
	use(&a)
	a = nil
}

func setup29(use func(...any)) {
	var a any
	use(&a)
}

func native29(use func(...any)) {
	var a any
	use(&a)
	a = 2.0
}

func setup30(use func(...any)) {
	var a any
	use(&a)
}

func native30(use func(...any)) {
	var a any
	use(&a)
	a = 'x'
}

func setup31(use func(...any)) {
	var a any
	var x int = 3
	use(&a, &x)
}

func native31(use func(...any)) {
	var a any
	var x int = 3
	use(&a, &x)
	a = x > 2
}

func setup32(use func(...any)) {
	var a any
	use(&a)
}

func native32(use func(...any)) {
	var a any
	use(&a)
	a = High
}

func setup33(use func(...any)) {
	var a, b any = 5, nil
	use(&a, &b)
}

func native33(use func(...any)) {
	var a, b any = 5, nil
	use(&a, &b)
	b = a
}

func setup34(use func(...any)) {
	var s fmt.Stringer
	use(&s)
}

func native34(use func(...any)) {
	var s fmt.Stringer
	use(&s)
	s = Point{X: 1}
}

func setup35(use func(...any)) {
	var s fmt.Stringer
	var p = &Point{X: 2}
	use(&s, &p)
}

func native35(use func(...any)) {
	var s fmt.Stringer
	var p = &Point{X: 2}
	use(&s, &p)
	s = p
}

func setup36(use func(...any)) {
	var s fmt.Stringer
	var l Level = 1
	use(&s, &l)
}

func native36(use func(...any)) {
	var s fmt.Stringer
	var l Level = 1
	use(&s, &l)
	s = l
}

func setup37(use func(...any)) {
	var err error
	use(&err)
}

func native37(use func(...any)) {
	var err error
	use(&err)
	err = &Oops{3}
}

func setup38(use func(...any)) {
	var err error = errBase
	use(&err)
}

func native38(use func(...any)) {
	var err error = errBase
	use(&err)
	err = nil
}

func setup39(use func(...any)) {
	var err error
	use(&err)
}

func native39(use func(...any)) {
	var err error
	use(&err)
	err = fails(3)
}

func setup40(use func(...any)) {
	var err error = errBase
	use(&err)
}

func native40(use func(...any)) {
	var err error = errBase
	use(&err)
	err = fails(0)
}

func setup41(use func(...any)) {
	var s Shape = Point{X: 1}
	var a any
	use(&s, &a)
}

func native41(use func(...any)) {
	var s Shape = Point{X: 1}
	var a any
	use(&s, &a)
	a = s
}

func setup42(use func(...any)) {
	var f func(int) int
	use(&f)
}

func native42(use func(...any)) {
	var f func(int) int
	use(&f)
	f = double
}

func setup43(use func(...any)) {
	var f func(int) int = double
	use(&f)
}

func native43(use func(...any)) {
	var f func(int) int = double
	use(&f)
	f = nil
}

func setup44(use func(...any)) {
	var f = double
	var n int
	use(&f, &n)
}

func native44(use func(...any)) {
	var f = double
	var n int
	use(&f, &n)
	n = f(4)
}

func setup45(use func(...any)) {
	var o Op = func(a, b int) int { return a - b }
	var n int
	use(&o, &n)
}

func native45(use func(...any)) {
	var o Op = func(a, b int) int { return a - b }
	var n int
	use(&o, &n)
	n = o(9, 4)
}

func setup46(use func(...any)) {
	var o Op = func(a, b int) int { return a - b }
	var n int
	use(&o, &n)
}

func native46(use func(...any)) {
	var o Op = func(a, b int) int { return a - b }
	var n int
	use(&o, &n)
	n = o.Do(9, 4)
}

func setup47(use func(...any)) {
	var p = &Point{}
	use(&p)
}

func native47(use func(...any)) {
	var p = &Point{}
	use(&p)
	p = nil
}

func setup48(use func(...any)) {
	var s = []int{1}
	use(&s)
}

func native48(use func(...any)) {
	var s = []int{1}
	use(&s)
	s = nil
}

func setup49(use func(...any)) {
	var m = map[string]int{"a": 1}
	use(&m)
}

func native49(use func(...any)) {
	var m = map[string]int{"a": 1}
	use(&m)
	m = nil
}

func setup50(use func(...any)) {
	var c chan int
	use(&c)
}

func native50(use func(...any)) {
	var c chan int
	use(&c)
	c = make(chan int, 2)
	n := cap(c)
	c <- n
}

func setup51(use func(...any)) {
	var p Point
	use(&p)
}

func native51(use func(...any)) {
	var p Point
	use(&p)
	p = Point{X: 3, Y: 4}
}

func setup52(use func(...any)) {
	var p Point
	use(&p)
}

func native52(use func(...any)) {
	var p Point
	use(&p)
	p = Point{3, 4, "n"}
}

func setup53(use func(...any)) {
	var p = Point{1, 2, "x"}
	use(&p)
}

func native53(use func(...any)) {
	var p = Point{1, 2, "x"}
	use(&p)
	p = Point{}
}

func setup54(use func(...any)) {
	var p *Point
	use(&p)
}

func native54(use func(...any)) {
	var p *Point
	use(&p)
	p = &Point{X: 3}
}

func setup55(use func(...any)) {
	var x, y int = 6, 7
	var p Point
	use(&x, &y, &p)
}

func native55(use func(...any)) {
	var x, y int = 6, 7
	var p Point
	use(&x, &y, &p)
	p = Point{X: x * 2, Y: y + x, Name: "n"}
}

func setup56(use func(...any)) {
	var p = Point{X: 1, Y: 2}
	use(&p)
}

func native56(use func(...any)) {
	var p = Point{X: 1, Y: 2}
	use(&p)
	p = Point{X: p.Y, Y: p.X}
}

func setup57(use func(...any)) {
	var p, q Point
	use(&p, &q)
}

func native57(use func(...any)) {
	var p, q Point
	use(&p, &q)
	p = Point{X: 1}
	q = Point{Y: 2}
}

func setup58(use func(...any)) {
	var n int
	use(&n)
}

func native58(use func(...any)) {
	var n int
	use(&n)
	p := Point{X: 3, Y: 4}
	n = p.Sum()
}

func setup59(use func(...any)) {
	var q Point
	use(&q)
}

func native59(use func(...any)) {
	var q Point
	use(&q)
	p := Point{X: 3, Y: 4}
	q = p
}

func setup60(use func(...any)) {
	var s string
	use(&s)
}

func native60(use func(...any)) {
	var s string
	use(&s)
	s = kind(Point{X: 1, Y: 2})
}

func setup61(use func(...any)) {
	var n int
	use(&n)
}

func native61(use func(...any)) {
	var n int
	use(&n)
	n = total(Point{X: 1, Y: 2})
}

func setup62(use func(...any)) {
	var n int
	use(&n)
}

func native62(use func(...any)) {
	var n int
	use(&n)
	n = Point{X: 1, Y: 2}.Sum()
}

func setup63(use func(...any)) {
	var h hidden
	use(&h)
}

func native63(use func(...any)) {
	var h hidden
	use(&h)
	h = hidden{a: 1, b: "z"}
}

func setup64(use func(...any)) {
	var l Line
	use(&l)
}

func native64(use func(...any)) {
	var l Line
	use(&l)
	l = Line{Point: Point{X: 1}, End: &Point{Y: 2}, Tags: []string{"a"}, Attr: map[string]int{"k": 1}}
}

func setup65(use func(...any)) {
	var l Line
	use(&l)
}

func native65(use func(...any)) {
	var l Line
	use(&l)
	l = Line{Grid: [2][2]int{{1, 2}, {3, 4}}, Any: 5, Err: errBase, Apply: double}
}

func setup66(use func(...any)) {
	var l Line
	use(&l)
}

func native66(use func(...any)) {
	var l Line
	use(&l)
	l = Line{Any: Point{X: 1}}
}

func setup67(use func(...any)) {
	var l = Line{Any: 3}
	use(&l)
}

func native67(use func(...any)) {
	var l = Line{Any: 3}
	use(&l)
	l = Line{End: nil, Tags: nil, Attr: nil, Any: nil, Err: nil}
}

func setup68(use func(...any)) {
	var s []int
	use(&s)
}

func native68(use func(...any)) {
	var s []int
	use(&s)
	s = []int{1, 2, 3}
}

func setup69(use func(...any)) {
	var s []int
	use(&s)
}

func native69(use func(...any)) {
	var s []int
	use(&s)
	s = []int{}
}

func setup70(use func(...any)) {
	var x int = 4
	var s []int
	use(&x, &s)
}

func native70(use func(...any)) {
	var x int = 4
	var s []int
	use(&x, &s)
	s = []int{x, x * x, double(x)}
}

func setup71(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
}

func native71(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
	s = []int{s[1], s[0]}
}

func setup72(use func(...any)) {
	var s []string
	use(&s)
}

func native72(use func(...any)) {
	var s []string
	use(&s)
	s = []string{2: "c", 0: "a"}
}

func setup73(use func(...any)) {
	var s []float64
	use(&s)
}

func native73(use func(...any)) {
	var s []float64
	use(&s)
	s = []float64{1, 2.5, 3}
}

func setup74(use func(...any)) {
	var s []float32
	use(&s)
}

func native74(use func(...any)) {
	var s []float32
	use(&s)
	s = []float32{1, 2.5, 0.1}
}

func setup75(use func(...any)) {
	var s []string
	use(&s)
}

func native75(use func(...any)) {
	var s []string
	use(&s)
	s = []string{"a", "b"}
}

func setup76(use func(...any)) {
	var s []byte
	use(&s)
}

func native76(use func(...any)) {
	var s []byte
	use(&s)
	s = []byte{'a', 200, 0x10}
}

func setup77(use func(...any)) {
	var s []rune
	use(&s)
}

func native77(use func(...any)) {
	var s []rune
	use(&s)
	s = []rune{'a', 'é'}
}

func setup78(use func(...any)) {
	var s []int64
	use(&s)
}

func native78(use func(...any)) {
	var s []int64
	use(&s)
	s = []int64{1, -2}
}

func setup79(use func(...any)) {
	var s []uint64
	use(&s)
}

func native79(use func(...any)) {
	var s []uint64
	use(&s)
	s = []uint64{1, 1 << 63}
}

func setup80(use func(...any)) {
	var s []Level
	use(&s)
}

func native80(use func(...any)) {
	var s []Level
	use(&s)
	s = []Level{Low, High}
}

func setup81(use func(...any)) {
	var s []Celsius
	use(&s)
}

func native81(use func(...any)) {
	var s []Celsius
	use(&s)
	s = []Celsius{1, 2.5}
}

func setup82(use func(...any)) {
	var w Words
	use(&w)
}

func native82(use func(...any)) {
	var w Words
	use(&w)
	w = Words{"a", "b"}
}

func setup83(use func(...any)) {
	var s []any
	use(&s)
}

func native83(use func(...any)) {
	var s []any
	use(&s)
	s = []any{1, "a", 2.5, 'r', nil, true, Point{X: 1}, High}
}

func setup84(use func(...any)) {
	var s []error
	use(&s)
}

func native84(use func(...any)) {
	var s []error
	use(&s)
	s = []error{errBase, nil, &Oops{1}}
}

func setup85(use func(...any)) {
	var s []fmt.Stringer
	use(&s)
}

func native85(use func(...any)) {
	var s []fmt.Stringer
	use(&s)
	s = []fmt.Stringer{Point{X: 1}, High, Celsius(2)}
}

func setup86(use func(...any)) {
	var s []Point
	use(&s)
}

func native86(use func(...any)) {
	var s []Point
	use(&s)
	s = []Point{{1, 2, "a"}, {X: 3}}
}

func setup87(use func(...any)) {
	var s []Point
	use(&s)
}

func native87(use func(...any)) {
	var s []Point
	use(&s)
	s = []Point{Point{1, 2, "a"}, Point{X: 3}}
}

func setup88(use func(...any)) {
	var x int = 5
	var s []Point
	use(&x, &s)
}

func native88(use func(...any)) {
	var x int = 5
	var s []Point
	use(&x, &s)
	s = []Point{{x, x + 1, "a"}, {X: double(x)}}
}

func setup89(use func(...any)) {
	var s []*Point
	use(&s)
}

func native89(use func(...any)) {
	var s []*Point
	use(&s)
	s = []*Point{{X: 1}, nil, &Point{Y: 2}}
}

func setup90(use func(...any)) {
	var s []func(int) int
	use(&s)
}

func native90(use func(...any)) {
	var s []func(int) int
	use(&s)
	s = []func(int) int{double, nil}
}

func setup91(use func(...any)) {
	var s [][]int
	use(&s)
}

func native91(use func(...any)) {
	var s [][]int
	use(&s)
	s = [][]int{{1}, {2, 3}, nil}
}

func setup92(use func(...any)) {
	var s []map[string]int
	use(&s)
}

func native92(use func(...any)) {
	var s []map[string]int
	use(&s)
	s = []map[string]int{{"a": 1}, {}}
}

func setup93(use func(...any)) {
	var a [3]int
	use(&a)
}

func native93(use func(...any)) {
	var a [3]int
	use(&a)
	a = [3]int{1, 2, 3}
}

func setup94(use func(...any)) {
	var a [3]int
	use(&a)
}

func native94(use func(...any)) {
	var a [3]int
	use(&a)
	a = [3]int{1}
}

func setup95(use func(...any)) {
	var n int
	use(&n)
}

func native95(use func(...any)) {
	var n int
	use(&n)
	a := [...]string{"x", "y", "z"}
	n = len(a)
}

func setup96(use func(...any)) {
	var a [2][2]int
	use(&a)
}

func native96(use func(...any)) {
	var a [2][2]int
	use(&a)
	a = [2][2]int{{1, 2}, {3, 4}}
}

func setup97(use func(...any)) {
	var a [2]Point
	use(&a)
}

func native97(use func(...any)) {
	var a [2]Point
	use(&a)
	a = [2]Point{{X: 1}, {Y: 2}}
}

func setup98(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native98(use func(...any)) {
	var m map[string]int
	use(&m)
	m = map[string]int{"a": 1, "b": 2}
}

func setup99(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native99(use func(...any)) {
	var m map[string]int
	use(&m)
	m = map[string]int{}
}

func setup100(use func(...any)) {
	var m map[int]string
	use(&m)
}

func native100(use func(...any)) {
	var m map[int]string
	use(&m)
	m = map[int]string{1: "a", -2: "b"}
}

func setup101(use func(...any)) {
	var m map[string]any
	use(&m)
}

func native101(use func(...any)) {
	var m map[string]any
	use(&m)
	m = map[string]any{"a": 1, "b": "x", "c": nil, "d": []int{1}, "e": 1.5}
}

func setup102(use func(...any)) {
	var m map[any]int
	use(&m)
}

func native102(use func(...any)) {
	var m map[any]int
	use(&m)
	m = map[any]int{1: 1, "a": 2, 2.5: 3}
}

func setup103(use func(...any)) {
	var m map[string]Point
	use(&m)
}

func native103(use func(...any)) {
	var m map[string]Point
	use(&m)
	m = map[string]Point{"a": {X: 1}, "b": {Y: 2}}
}

func setup104(use func(...any)) {
	var m map[Point]int
	use(&m)
}

func native104(use func(...any)) {
	var m map[Point]int
	use(&m)
	m = map[Point]int{{X: 1}: 1, {Y: 2}: 2}
}

func setup105(use func(...any)) {
	var m map[string]*Point
	use(&m)
}

func native105(use func(...any)) {
	var m map[string]*Point
	use(&m)
	m = map[string]*Point{"a": {X: 1}}
}

func setup106(use func(...any)) {
	var m map[string][]int
	use(&m)
}

func native106(use func(...any)) {
	var m map[string][]int
	use(&m)
	m = map[string][]int{"a": {1, 2}, "b": nil}
}

func setup107(use func(...any)) {
	var t Table
	use(&t)
}

func native107(use func(...any)) {
	var t Table
	use(&t)
	t = Table{"a": {1, 2}}
}

func setup108(use func(...any)) {
	var m map[Level]Celsius
	use(&m)
}

func native108(use func(...any)) {
	var m map[Level]Celsius
	use(&m)
	m = map[Level]Celsius{High: 3, Low: 1.5}
}

func setup109(use func(...any)) {
	var m map[rune]bool
	use(&m)
}

func native109(use func(...any)) {
	var m map[rune]bool
	use(&m)
	m = map[rune]bool{'a': true}
}

func setup110(use func(...any)) {
	var m map[string]func(int) int
	use(&m)
}

func native110(use func(...any)) {
	var m map[string]func(int) int
	use(&m)
	m = map[string]func(int) int{"d": double}
}

func setup111(use func(...any)) {
	var n int
	use(&n)
}

func native111(use func(...any)) {
	var n int
	use(&n)
	p := struct{ A, B int }{1, 2}
	n = p.A + p.B
}

func setup112(use func(...any)) {
	var a any
	use(&a)
}

func native112(use func(...any)) {
	var a any
	use(&a)
	a = struct{ A int }{1}
}

func setup113(use func(...any)) {
	var p struct{ A, B int }
	use(&p)
}

func native113(use func(...any)) {
	var p struct{ A, B int }
	use(&p)
	p = struct{ A, B int }{1, 2}
}

func setup114(use func(...any)) {
	var n *Node
	use(&n)
}

func native114(use func(...any)) {
	var n *Node
	use(&n)
	n = &Node{1, &Node{2, nil}}
}

func setup115(use func(...any)) {
	var s IntStack
	use(&s)
}

func native115(use func(...any)) {
	var s IntStack
	use(&s)
	s = IntStack{Items: []int{1}}
}

func setup116(use func(...any)) {
	var s Stack[int]
	use(&s)
}

func native116(use func(...any)) {
	var s Stack[int]
	use(&s)
	s = Stack[int]{Items: []int{1}}
}

func setup117(use func(...any)) {
	var x int = 7
	use(&x)
}

func native117(use func(...any)) {
	var x int = 7
	use(&x)
	x += 5
	x -= 2
	x *= 3
	x /= 4
	x %= 4
}

func setup118(use func(...any)) {
	var x, y, z int = -7, 2, 0
	use(&x, &y, &z)
}

func native118(use func(...any)) {
	var x, y, z int = -7, 2, 0
	use(&x, &y, &z)
	z = x / y
	x %= y
}

func setup119(use func(...any)) {
	var x int = 0b1101
	use(&x)
}

func native119(use func(...any)) {
	var x int = 0b1101
	use(&x)
	x &= 0b0111
	x |= 0b10000
	x ^= 0b11
	x &^= 0b1
	x <<= 3
	x >>= 1
}

func setup120(use func(...any)) {
	var x int8 = 120
	use(&x)
}

func native120(use func(...any)) {
	var x int8 = 120
	use(&x)
	x += 100
}

func setup121(use func(...any)) {
	var x int8 = 100
	use(&x)
}

func native121(use func(...any)) {
	var x int8 = 100
	use(&x)
	x *= 3
}

func setup122(use func(...any)) {
	var x int16 = 32000
	use(&x)
}

func native122(use func(...any)) {
	var x int16 = 32000
	use(&x)
	x += 1000
}

func setup123(use func(...any)) {
	var x int32 = 2147483647
	use(&x)
}

func native123(use func(...any)) {
	var x int32 = 2147483647
	use(&x)
	x += 1
}

func setup124(use func(...any)) {
	var x int64 = 9223372036854775807
	use(&x)
}

func native124(use func(...any)) {
	var x int64 = 9223372036854775807
	use(&x)
	x += 1
}

func setup125(use func(...any)) {
	var x int = 9223372036854775807
	use(&x)
}

func native125(use func(...any)) {
	var x int = 9223372036854775807
	use(&x)
	x *= 2
}

func setup126(use func(...any)) {
	var x uint8 = 250
	use(&x)
}

func native126(use func(...any)) {
	var x uint8 = 250
	use(&x)
	x += 10
}

func setup127(use func(...any)) {
	var x uint8 = 1
	use(&x)
}

func native127(use func(...any)) {
	var x uint8 = 1
	use(&x)
	x -= 3
}

func setup128(use func(...any)) {
	var x uint16 = 65535
	use(&x)
}

func native128(use func(...any)) {
	var x uint16 = 65535
	use(&x)
	x += 2
}

func setup129(use func(...any)) {
	var x uint32 = 4294967295
	use(&x)
}

func native129(use func(...any)) {
	var x uint32 = 4294967295
	use(&x)
	x += 2
}

func setup130(use func(...any)) {
	var x uint32
	use(&x)
}

func native130(use func(...any)) {
	var x uint32
	use(&x)
	x -= 1
}

func setup131(use func(...any)) {
	var x uint64
	use(&x)
}

func native131(use func(...any)) {
	var x uint64
	use(&x)
	x -= 1
}

func setup132(use func(...any)) {
	var x uint
	use(&x)
}

func native132(use func(...any)) {
	var x uint
	use(&x)
	x -= 1
	x /= 3
}

func setup133(use func(...any)) {
	var x uint64 = 18446744073709551615
	use(&x)
}

func native133(use func(...any)) {
	var x uint64 = 18446744073709551615
	use(&x)
	x /= 10
	x %= 1000
}

func setup134(use func(...any)) {
	var x uintptr = 3
	use(&x)
}

func native134(use func(...any)) {
	var x uintptr = 3
	use(&x)
	x -= 4
}

func setup135(use func(...any)) {
	var x float64 = 1.5
	use(&x)
}

func native135(use func(...any)) {
	var x float64 = 1.5
	use(&x)
	x += 2
	x -= 0.25
	x *= 3
	x /= 7
}

func setup136(use func(...any)) {
	var x float64 = 7
	use(&x)
}

func native136(use func(...any)) {
	var x float64 = 7
	use(&x)
	x /= 2
}

func setup137(use func(...any)) {
	var x float32 = 1
	use(&x)
}

func native137(use func(...any)) {
	var x float32 = 1
	use(&x)
	x /= 3
	x *= 3
	x += 0.1
	x -= 0.7
}

func setup138(use func(...any)) {
	var x float32 = 16777216
	use(&x)
}

func native138(use func(...any)) {
	var x float32 = 16777216
	use(&x)
	x += 1
}

func setup139(use func(...any)) {
	var x complex128 = 1 + 2i
	use(&x)
}

func native139(use func(...any)) {
	var x complex128 = 1 + 2i
	use(&x)
	x += 3
	x -= 1i
	x *= 2 + 1i
	x /= 1 - 1i
}

func setup140(use func(...any)) {
	var x complex64 = 1 + 2i
	use(&x)
}

func native140(use func(...any)) {
	var x complex64 = 1 + 2i
	use(&x)
	x += 3
	x *= 2 + 1i
	x /= 3
}

func setup141(use func(...any)) {
	var s string = "a"
	use(&s)
}

func native141(use func(...any)) {
	var s string = "a"
	use(&s)
	s += "b"
	s += s
}

func setup142(use func(...any)) {
	var c Celsius = 1.5
	use(&c)
}

func native142(use func(...any)) {
	var c Celsius = 1.5
	use(&c)
	c += 2
	c *= 2
}

func setup143(use func(...any)) {
	var l Level
	use(&l)
}

func native143(use func(...any)) {
	var l Level
	use(&l)
	l += 2
}

func setup144(use func(...any)) {
	var b Byte = 250
	use(&b)
}

func native144(use func(...any)) {
	var b Byte = 250
	use(&b)
	b += 10
}

func setup145(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
}

func native145(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
	s[1] += 10
}

func setup146(use func(...any)) {
	var s = []uint8{1, 250}
	use(&s)
}

func native146(use func(...any)) {
	var s = []uint8{1, 250}
	use(&s)
	s[1] += 10
}

func setup147(use func(...any)) {
	var m = map[string]int{"a": 1}
	use(&m)
}

func native147(use func(...any)) {
	var m = map[string]int{"a": 1}
	use(&m)
	m["a"] += 5
	m["b"] += 2
}

func setup148(use func(...any)) {
	var m = map[string]float64{"a": 1}
	use(&m)
}

func native148(use func(...any)) {
	var m = map[string]float64{"a": 1}
	use(&m)
	m["a"] /= 3
}

func setup149(use func(...any)) {
	var m = map[string]string{"a": "x"}
	use(&m)
}

func native149(use func(...any)) {
	var m = map[string]string{"a": "x"}
	use(&m)
	m["a"] += "y"
}

func setup150(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
}

func native150(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
	p.X += 4
	p.Name += "z"
}

func setup151(use func(...any)) {
	var p = &Point{X: 1}
	use(&p)
}

func native151(use func(...any)) {
	var p = &Point{X: 1}
	use(&p)
	p.X *= 4
	p.X -= 9
}

func setup152(use func(...any)) {
	var n int = 2
	var p = &n
	use(&n, &p)
}

func native152(use func(...any)) {
	var n int = 2
	var p = &n
	use(&n, &p)
	*p += 5
}

func setup153(use func(...any)) {
	var l = Line{Tags: []string{"a"}, Attr: map[string]int{}, End: &Point{}}
	use(&l)
}

func native153(use func(...any)) {
	var l = Line{Tags: []string{"a"}, Attr: map[string]int{}, End: &Point{}}
	use(&l)
	l.Tags[0] += "b"
	l.Attr["k"] += 3
	l.End.X += 2
	l.Grid[1][0] += 7
}

func setup154(use func(...any)) {
	var x, y int = 3, 4
	use(&x, &y)
}

func native154(use func(...any)) {
	var x, y int = 3, 4
	use(&x, &y)
	x += y * 2
	y -= x
}

func setup155(use func(...any)) {
	var x int = 3
	use(&x)
}

func native155(use func(...any)) {
	var x int = 3
	use(&x)
	x += double(x)
}

func setup156(use func(...any)) {
	var i int
	var s = []int{1, 2, 3}
	use(&i, &s)
}

func native156(use func(...any)) {
	var i int
	var s = []int{1, 2, 3}
	use(&i, &s)
	s[grow(&i)] += 10
}

func setup157(use func(...any)) {
	var x int = 1
	var n uint = 5
	use(&x, &n)
}

func native157(use func(...any)) {
	var x int = 1
	var n uint = 5
	use(&x, &n)
	x <<= n
}

func setup158(use func(...any)) {
	var x uint8 = 0x81
	use(&x)
}

func native158(use func(...any)) {
	var x uint8 = 0x81
	use(&x)
	x <<= 1
}

func setup159(use func(...any)) {
	var x int8 = -128
	use(&x)
}

func native159(use func(...any)) {
	var x int8 = -128
	use(&x)
	x >>= 3
}

func setup160(use func(...any)) {
	var x int32 = 1
	var n int = 40
	use(&x, &n)
}

func native160(use func(...any)) {
	var x int32 = 1
	var n int = 40
	use(&x, &n)
	x <<= n
}

func setup161(use func(...any)) {
	var x int = -5
	var n int = 70
	use(&x, &n)
}

func native161(use func(...any)) {
	var x int = -5
	var n int = 70
	use(&x, &n)
	x >>= n
}

func setup162(use func(...any)) {
	var x int = 1
	use(&x)
}

func native162(use func(...any)) {
	var x int = 1
	use(&x)
	x++
}

func setup163(use func(...any)) {
	var x int = 1
	use(&x)
}

func native163(use func(...any)) {
	var x int = 1
	use(&x)
	x--
	x--
}

func setup164(use func(...any)) {
	var x uint8 = 255
	use(&x)
}

func native164(use func(...any)) {
	var x uint8 = 255
	use(&x)
	x++
}

func setup165(use func(...any)) {
	var x uint8
	use(&x)
}

func native165(use func(...any)) {
	var x uint8
	use(&x)
	x--
}

func setup166(use func(...any)) {
	var x int8 = 127
	use(&x)
}

func native166(use func(...any)) {
	var x int8 = 127
	use(&x)
	x++
}

func setup167(use func(...any)) {
	var x int32 = 2147483647
	use(&x)
}

func native167(use func(...any)) {
	var x int32 = 2147483647
	use(&x)
	x++
}

func setup168(use func(...any)) {
	var x uint64
	use(&x)
}

func native168(use func(...any)) {
	var x uint64
	use(&x)
	x--
}

func setup169(use func(...any)) {
	var x float64 = 1.5
	use(&x)
}

func native169(use func(...any)) {
	var x float64 = 1.5
	use(&x)
	x++
}

func setup170(use func(...any)) {
	var x float32 = 1.5
	use(&x)
}

func native170(use func(...any)) {
	var x float32 = 1.5
	use(&x)
	x--
}

func setup171(use func(...any)) {
	var x complex128 = 1i
	use(&x)
}

func native171(use func(...any)) {
	var x complex128 = 1i
	use(&x)
	x++
}

func setup172(use func(...any)) {
	var l Level
	use(&l)
}

func native172(use func(...any)) {
	var l Level
	use(&l)
	l++
}

func setup173(use func(...any)) {
	var c Celsius
	use(&c)
}

func native173(use func(...any)) {
	var c Celsius
	use(&c)
	c--
}

func setup174(use func(...any)) {
	var s = []int{1}
	use(&s)
}

func native174(use func(...any)) {
	var s = []int{1}
	use(&s)
	s[0]++
}

func setup175(use func(...any)) {
	var m = map[string]int{}
	use(&m)
}

func native175(use func(...any)) {
	var m = map[string]int{}
	use(&m)
	m["a"]++
	m["a"]++
}

func setup176(use func(...any)) {
	var m = map[string]int{}
	use(&m)
}

func native176(use func(...any)) {
	var m = map[string]int{}
	use(&m)
	m["a"]--
}

func setup177(use func(...any)) {
	var m = map[string]Level{}
	use(&m)
}

func native177(use func(...any)) {
	var m = map[string]Level{}
	use(&m)
	m["a"]++
}

func setup178(use func(...any)) {
	var p = Point{}
	use(&p)
}

func native178(use func(...any)) {
	var p = Point{}
	use(&p)
	p.X++
}

func setup179(use func(...any)) {
	var p = &Point{}
	use(&p)
}

func native179(use func(...any)) {
	var p = &Point{}
	use(&p)
	p.Y--
}

func setup180(use func(...any)) {
	var n int
	var p = &n
	use(&n, &p)
}

func native180(use func(...any)) {
	var n int
	var p = &n
	use(&n, &p)
	*p++
}

func setup181(use func(...any)) {
	var s = []byte{255}
	use(&s)
}

func native181(use func(...any)) {
	var s = []byte{255}
	use(&s)
	s[0]++
}

func setup182(use func(...any)) {
	var a, b, c int = 17, 5, 0
	use(&a, &b, &c)
}

func native182(use func(...any)) {
	var a, b, c int = 17, 5, 0
	use(&a, &b, &c)
	c = (a+b)*(a-b)/b%7 + a&b - a | b ^ a&^b
}

func setup183(use func(...any)) {
	var a, b, c int64 = 9223372036854775807, 2, 0
	use(&a, &b, &c)
}

func native183(use func(...any)) {
	var a, b, c int64 = 9223372036854775807, 2, 0
	use(&a, &b, &c)
	c = a*b + b
}

func setup184(use func(...any)) {
	var a, b, c int8 = 100, 100, 0
	use(&a, &b, &c)
}

func native184(use func(...any)) {
	var a, b, c int8 = 100, 100, 0
	use(&a, &b, &c)
	c = a + b
}

func setup185(use func(...any)) {
	var a, b int8 = 100, 100
	var s string
	use(&a, &b, &s)
}

func native185(use func(...any)) {
	var a, b int8 = 100, 100
	var s string
	use(&a, &b, &s)
	s = kind(a + b)
}

func setup186(use func(...any)) {
	var a, b int8 = 100, 100
	var r bool
	use(&a, &b, &r)
}

func native186(use func(...any)) {
	var a, b int8 = 100, 100
	var r bool
	use(&a, &b, &r)
	r = a+b > 0
}

func setup187(use func(...any)) {
	var a, b, c int8 = -128, -1, 0
	use(&a, &b, &c)
}

func native187(use func(...any)) {
	var a, b, c int8 = -128, -1, 0
	use(&a, &b, &c)
	c = a / b
}

func setup188(use func(...any)) {
	var a, b int8 = 100, 100
	var n int
	use(&a, &b, &n)
}

func native188(use func(...any)) {
	var a, b int8 = 100, 100
	var n int
	use(&a, &b, &n)
	n = int(a + b)
}

func setup189(use func(...any)) {
	var a, b, c uint8 = 200, 100, 0
	use(&a, &b, &c)
}

func native189(use func(...any)) {
	var a, b, c uint8 = 200, 100, 0
	use(&a, &b, &c)
	c = (a + b) / 2
}

func setup190(use func(...any)) {
	var a, b uint8 = 1, 2
	var n int
	use(&a, &b, &n)
}

func native190(use func(...any)) {
	var a, b uint8 = 1, 2
	var n int
	use(&a, &b, &n)
	n = int(a-b) * 2
}

func setup191(use func(...any)) {
	var a, b, c uint16 = 65535, 65535, 0
	use(&a, &b, &c)
}

func native191(use func(...any)) {
	var a, b, c uint16 = 65535, 65535, 0
	use(&a, &b, &c)
	c = a * b
}

func setup192(use func(...any)) {
	var a, b, c uint32 = 4294967295, 2, 0
	use(&a, &b, &c)
}

func native192(use func(...any)) {
	var a, b, c uint32 = 4294967295, 2, 0
	use(&a, &b, &c)
	c = a*b + 3
}

func setup193(use func(...any)) {
	var a, b, c uint64 = 18446744073709551615, 2, 0
	use(&a, &b, &c)
}

func native193(use func(...any)) {
	var a, b, c uint64 = 18446744073709551615, 2, 0
	use(&a, &b, &c)
	c = a/b - b*a
}

func setup194(use func(...any)) {
	var a, b, c float64 = 1.1, 2.2, 0
	use(&a, &b, &c)
}

func native194(use func(...any)) {
	var a, b, c float64 = 1.1, 2.2, 0
	use(&a, &b, &c)
	c = (a+b)*a/b - a
}

func setup195(use func(...any)) {
	var a, b, c float64 = 1, 0, 0
	use(&a, &b, &c)
}

func native195(use func(...any)) {
	var a, b, c float64 = 1, 0, 0
	use(&a, &b, &c)
	c = a / b
	b = c - c
}

func setup196(use func(...any)) {
	var a, b, c float32 = 1, 3, 0
	use(&a, &b, &c)
}

func native196(use func(...any)) {
	var a, b, c float32 = 1, 3, 0
	use(&a, &b, &c)
	c = a / b * b
}

func setup197(use func(...any)) {
	var a, b, c float32 = 0.1, 0.2, 0
	use(&a, &b, &c)
}

func native197(use func(...any)) {
	var a, b, c float32 = 0.1, 0.2, 0
	use(&a, &b, &c)
	c = a + b + a*b
}

func setup198(use func(...any)) {
	var a, b float32 = 1, 3
	var s string
	use(&a, &b, &s)
}

func native198(use func(...any)) {
	var a, b float32 = 1, 3
	var s string
	use(&a, &b, &s)
	s = kind(a / b)
}

func setup199(use func(...any)) {
	var a, b float32 = 0.1, 0.2
	var r bool
	use(&a, &b, &r)
}

func native199(use func(...any)) {
	var a, b float32 = 0.1, 0.2
	var r bool
	use(&a, &b, &r)
	r = a+b == 0.3
}

func setup200(use func(...any)) {
	var a, b, c, d float64 = 0.1, 10, -1, 0
	use(&a, &b, &c, &d)
}

func native200(use func(...any)) {
	var a, b, c, d float64 = 0.1, 10, -1, 0
	use(&a, &b, &c, &d)
	d = a*b + c
}

func setup201(use func(...any)) {
	var a, b, c complex128 = 1 + 2i, 3 - 1i, 0
	use(&a, &b, &c)
}

func native201(use func(...any)) {
	var a, b, c complex128 = 1 + 2i, 3 - 1i, 0
	use(&a, &b, &c)
	c = a*b/(a+b) - a
}

func setup202(use func(...any)) {
	var a, b, c complex64 = 1 + 2i, 3 - 1i, 0
	use(&a, &b, &c)
}

func native202(use func(...any)) {
	var a, b, c complex64 = 1 + 2i, 3 - 1i, 0
	use(&a, &b, &c)
	c = a*b/(a+b) - a
}

func setup203(use func(...any)) {
	var z complex128 = 3 + 4i
	var r, i float64
	use(&z, &r, &i)
}

func native203(use func(...any)) {
	var z complex128 = 3 + 4i
	var r, i float64
	use(&z, &r, &i)
	r, i = real(z), imag(z)
}

func setup204(use func(...any)) {
	var z complex64 = 3 + 4i
	var r, i float32
	use(&z, &r, &i)
}

func native204(use func(...any)) {
	var z complex64 = 3 + 4i
	var r, i float32
	use(&z, &r, &i)
	r, i = real(z), imag(z)
}

func setup205(use func(...any)) {
	var z complex128
	var x float64 = 2
	use(&z, &x)
}

func native205(use func(...any)) {
	var z complex128
	var x float64 = 2
	use(&z, &x)
	z = complex(x, 3)
}

func setup206(use func(...any)) {
	var z complex64
	var x float32 = 2
	use(&z, &x)
}

func native206(use func(...any)) {
	var z complex64
	var x float32 = 2
	use(&z, &x)
	z = complex(x, 3)
}

func setup207(use func(...any)) {
	var x, y int = 5, 0
	use(&x, &y)
}

func native207(use func(...any)) {
	var x, y int = 5, 0
	use(&x, &y)
	y = -x
	x = ^x
	y = +y
}

func setup208(use func(...any)) {
	var x, y uint8 = 5, 0
	use(&x, &y)
}

func native208(use func(...any)) {
	var x, y uint8 = 5, 0
	use(&x, &y)
	y = -x
	x = ^x
}

func setup209(use func(...any)) {
	var x, y uint32 = 5, 0
	use(&x, &y)
}

func native209(use func(...any)) {
	var x, y uint32 = 5, 0
	use(&x, &y)
	y = -x
	x = ^x
}

func setup210(use func(...any)) {
	var x, y int8 = -128, 0
	use(&x, &y)
}

func native210(use func(...any)) {
	var x, y int8 = -128, 0
	use(&x, &y)
	y = -x
	x = ^x
}

func setup211(use func(...any)) {
	var x, y float64 = 5, 0
	use(&x, &y)
}

func native211(use func(...any)) {
	var x, y float64 = 5, 0
	use(&x, &y)
	y = -x
}

func setup212(use func(...any)) {
	var x, y float32 = 0.1, 0
	use(&x, &y)
}

func native212(use func(...any)) {
	var x, y float32 = 0.1, 0
	use(&x, &y)
	y = -x
}

func setup213(use func(...any)) {
	var x, y complex128 = 5 + 1i, 0
	use(&x, &y)
}

func native213(use func(...any)) {
	var x, y complex128 = 5 + 1i, 0
	use(&x, &y)
	y = -x
}

func setup214(use func(...any)) {
	var x, y bool = true, false
	use(&x, &y)
}

func native214(use func(...any)) {
	var x, y bool = true, false
	use(&x, &y)
	y = !x
	x = !(x && y)
}

func setup215(use func(...any)) {
	var c, d Celsius = 1.5, 2
	use(&c, &d)
}

func native215(use func(...any)) {
	var c, d Celsius = 1.5, 2
	use(&c, &d)
	c = c*d + 1
}

func setup216(use func(...any)) {
	var c Celsius = 1.5
	var s string
	use(&c, &s)
}

func native216(use func(...any)) {
	var c Celsius = 1.5
	var s string
	use(&c, &s)
	s = kind(c + 1)
}

func setup217(use func(...any)) {
	var l Level = 1
	var s string
	use(&l, &s)
}

func native217(use func(...any)) {
	var l Level = 1
	var s string
	use(&l, &s)
	s = kind(l + 1)
}

func setup218(use func(...any)) {
	var d time.Duration
	use(&d)
}

func native218(use func(...any)) {
	var d time.Duration
	use(&d)
	d = 3*time.Second + 20*time.Millisecond
}

func setup219(use func(...any)) {
	var n int = 3
	var d time.Duration
	use(&n, &d)
}

func native219(use func(...any)) {
	var n int = 3
	var d time.Duration
	use(&n, &d)
	d = time.Duration(n) * time.Second
}

func setup220(use func(...any)) {
	var a, b, c string = "x", "y", ""
	use(&a, &b, &c)
}

func native220(use func(...any)) {
	var a, b, c string = "x", "y", ""
	use(&a, &b, &c)
	c = a + b + "z" + a
}

func setup221(use func(...any)) {
	var s string = "añb"
	var n int
	use(&s, &n)
}

func native221(use func(...any)) {
	var s string = "añb"
	var n int
	use(&s, &n)
	n = len(s) + len("abc")
}

func setup222(use func(...any)) {
	var x, y int = 3, 0
	use(&x, &y)
}

func native222(use func(...any)) {
	var x, y int = 3, 0
	use(&x, &y)
	y = x<<4 | x>>1
}

func setup223(use func(...any)) {
	var x uint8 = 0xF0
	var y uint8
	use(&x, &y)
}

func native223(use func(...any)) {
	var x uint8 = 0xF0
	var y uint8
	use(&x, &y)
	y = x<<1 | x>>7
}

func setup224(use func(...any)) {
	var x uint8 = 0xF0
	var n int
	use(&x, &n)
}

func native224(use func(...any)) {
	var x uint8 = 0xF0
	var n int
	use(&x, &n)
	n = int(x<<1) + int(x)<<1
}

func setup225(use func(...any)) {
	var n uint = 4
	var y int64
	use(&n, &y)
}

func native225(use func(...any)) {
	var n uint = 4
	var y int64
	use(&n, &y)
	y = 1 << n
}

func setup226(use func(...any)) {
	var n uint = 9
	var y uint8
	use(&n, &y)
}

func native226(use func(...any)) {
	var n uint = 9
	var y uint8
	use(&n, &y)
	y = 1 << n
}

func setup227(use func(...any)) {
	var n uint = 4
	var s string
	use(&n, &s)
}

func native227(use func(...any)) {
	var n uint = 4
	var s string
	use(&n, &s)
	s = kind(1 << n)
}

func setup228(use func(...any)) {
	var x, n int = 1, -1
	use(&x, &n)
}

func native228(use func(...any)) {
	var x, n int = 1, -1
	use(&x, &n)
	x = x << n
}

func setup229(use func(...any)) {
	var x uint32 = 1
	var n uint = 32
	use(&x, &n)
}

func native229(use func(...any)) {
	var x uint32 = 1
	var n uint = 32
	use(&x, &n)
	x = x << n
}

func setup230(use func(...any)) {
	var x int = -9
	var y int
	use(&x, &y)
}

func native230(use func(...any)) {
	var x int = -9
	var y int
	use(&x, &y)
	y = x >> 1
}

func setup231(use func(...any)) {
	var x float64 = 3
	var y float64
	use(&x, &y)
}

func native231(use func(...any)) {
	var x float64 = 3
	var y float64
	use(&x, &y)
	y = x*2 + 1/2 + 1/2.0
}

func setup232(use func(...any)) {
	var x int
	use(&x)
}

func native232(use func(...any)) {
	var x int
	use(&x)
	x = 7 / 2 * 2
}

func setup233(use func(...any)) {
	var i, j int
	use(&i, &j)
}

func native233(use func(...any)) {
	var i, j int
	use(&i, &j)
	j = grow(&i)*10 + grow(&i)
}

func setup234(use func(...any)) {
	var i int
	var b bool
	use(&i, &b)
}

func native234(use func(...any)) {
	var i int
	var b bool
	use(&i, &b)
	b = i > 0 && grow(&i) > 0 || grow(&i) == 1
}

func setup235(use func(...any)) {
	var x int = 70000
	var a int8
	var b int16
	var c int32
	var d int64
	var e uint8
	var f uint16
	var g uint32
	var h uint64
	use(&x, &a, &b, &c, &d, &e, &f, &g, &h)
}

func native235(use func(...any)) {
	var x int = 70000
	var a int8
	var b int16
	var c int32
	var d int64
	var e uint8
	var f uint16
	var g uint32
	var h uint64
	use(&x, &a, &b, &c, &d, &e, &f, &g, &h)
	a, b, c, d = int8(x), int16(x), int32(x), int64(x)
	e, f, g, h = uint8(x), uint16(x), uint32(x), uint64(x)
}

func setup236(use func(...any)) {
	var x int = -1
	var a uint8
	var b uint16
	var c uint32
	var d uint64
	var e uint
	use(&x, &a, &b, &c, &d, &e)
}

func native236(use func(...any)) {
	var x int = -1
	var a uint8
	var b uint16
	var c uint32
	var d uint64
	var e uint
	use(&x, &a, &b, &c, &d, &e)
	a, b, c, d, e = uint8(x), uint16(x), uint32(x), uint64(x), uint(x)
}

func setup237(use func(...any)) {
	var x uint64 = 18446744073709551615
	var a int8
	var b int32
	var c int64
	use(&x, &a, &b, &c)
}

func native237(use func(...any)) {
	var x uint64 = 18446744073709551615
	var a int8
	var b int32
	var c int64
	use(&x, &a, &b, &c)
	a, b, c = int8(x), int32(x), int64(x)
}

func setup238(use func(...any)) {
	var f float64 = -3.99
	var a int
	var b int8
	use(&f, &a, &b)
}

func native238(use func(...any)) {
	var f float64 = -3.99
	var a int
	var b int8
	use(&f, &a, &b)
	a, b = int(f), int8(f)
}

func setup239(use func(...any)) {
	var n int = 1<<53 + 1
	var f float64
	var g float32
	use(&n, &f, &g)
}

func native239(use func(...any)) {
	var n int = 1<<53 + 1
	var f float64
	var g float32
	use(&n, &f, &g)
	f, g = float64(n), float32(n)
}

func setup240(use func(...any)) {
	var f float32 = 0.1
	var g float64
	use(&f, &g)
}

func native240(use func(...any)) {
	var f float32 = 0.1
	var g float64
	use(&f, &g)
	g = float64(f)
}

func setup241(use func(...any)) {
	var f float64 = 0.1
	var g float32
	use(&f, &g)
}

func native241(use func(...any)) {
	var f float64 = 0.1
	var g float32
	use(&f, &g)
	g = float32(f)
}

func setup242(use func(...any)) {
	var f float64 = 0.1
	var g float64
	use(&f, &g)
}

func native242(use func(...any)) {
	var f float64 = 0.1
	var g float64
	use(&f, &g)
	g = float64(float32(f))
}

func setup243(use func(...any)) {
	var x int = 300
	var y int
	use(&x, &y)
}

func native243(use func(...any)) {
	var x int = 300
	var y int
	use(&x, &y)
	y = int(int8(x)) + int(uint8(x))
}

func setup244(use func(...any)) {
	var x int = 300
	var y uint8
	use(&x, &y)
}

func native244(use func(...any)) {
	var x int = 300
	var y uint8
	use(&x, &y)
	y = uint8(x) + uint8(x/2)
}

func setup245(use func(...any)) {
	var a, b int = 200, 100
	var c uint8
	use(&a, &b, &c)
}

func native245(use func(...any)) {
	var a, b int = 200, 100
	var c uint8
	use(&a, &b, &c)
	c = uint8(a + b)
}

func setup246(use func(...any)) {
	var x uint64 = 1 << 63
	var f float64
	use(&x, &f)
}

func native246(use func(...any)) {
	var x uint64 = 1 << 63
	var f float64
	use(&x, &f)
	f = float64(x)
}

func setup247(use func(...any)) {
	var f float64 = 1e19
	var x uint64
	use(&f, &x)
}

func native247(use func(...any)) {
	var f float64 = 1e19
	var x uint64
	use(&f, &x)
	x = uint64(f)
}

func setup248(use func(...any)) {
	var z complex128 = 0.1 + 2i
	var w complex64
	use(&z, &w)
}

func native248(use func(...any)) {
	var z complex128 = 0.1 + 2i
	var w complex64
	use(&z, &w)
	w = complex64(z)
	z = complex128(w)
}

func setup249(use func(...any)) {
	var f float64 = 1.5
	var c Celsius
	use(&f, &c)
}

func native249(use func(...any)) {
	var f float64 = 1.5
	var c Celsius
	use(&f, &c)
	c = Celsius(f)
	f = float64(c) + 1
}

func setup250(use func(...any)) {
	var c Celsius
	use(&c)
}

func native250(use func(...any)) {
	var c Celsius
	use(&c)
	c = Celsius(3)
}

func setup251(use func(...any)) {
	var f float64 = 1.5
	var s string
	use(&f, &s)
}

func native251(use func(...any)) {
	var f float64 = 1.5
	var s string
	use(&f, &s)
	s = kind(Celsius(f))
}

func setup252(use func(...any)) {
	var n int = 2
	var l Level
	use(&n, &l)
}

func native252(use func(...any)) {
	var n int = 2
	var l Level
	use(&n, &l)
	l = Level(n)
	n = int(l) + 1
}

func setup253(use func(...any)) {
	var n int = 2
	var s string
	use(&n, &s)
}

func native253(use func(...any)) {
	var n int = 2
	var s string
	use(&n, &s)
	s = Level(n).String()
}

func setup254(use func(...any)) {
	var n int = 300
	var b Byte
	use(&n, &b)
}

func native254(use func(...any)) {
	var n int = 300
	var b Byte
	use(&n, &b)
	b = Byte(n)
}

func setup255(use func(...any)) {
	var r rune = 'é'
	var s string
	use(&r, &s)
}

func native255(use func(...any)) {
	var r rune = 'é'
	var s string
	use(&r, &s)
	s = string(r)
}

func setup256(use func(...any)) {
	var s string
	use(&s)
}

func native256(use func(...any)) {
	var s string
	use(&s)
	s = string('é') + string(rune(0x4e16))
}

func setup257(use func(...any)) {
	var b byte = 233
	var s string
	use(&b, &s)
}

func native257(use func(...any)) {
	var b byte = 233
	var s string
	use(&b, &s)
	s = string(rune(b))
}

func setup258(use func(...any)) {
	var b = []byte{104, 105}
	var s string
	use(&b, &s)
}

func native258(use func(...any)) {
	var b = []byte{104, 105}
	var s string
	use(&b, &s)
	s = string(b)
}

func setup259(use func(...any)) {
	var b = []rune{'h', 'é'}
	var s string
	use(&b, &s)
}

func native259(use func(...any)) {
	var b = []rune{'h', 'é'}
	var s string
	use(&b, &s)
	s = string(b)
}

func setup260(use func(...any)) {
	var s string = "hé"
	var b []byte
	use(&s, &b)
}

func native260(use func(...any)) {
	var s string = "hé"
	var b []byte
	use(&s, &b)
	b = []byte(s)
}

func setup261(use func(...any)) {
	var s string = "hé"
	var b []rune
	use(&s, &b)
}

func native261(use func(...any)) {
	var s string = "hé"
	var b []rune
	use(&s, &b)
	b = []rune(s)
}

func setup262(use func(...any)) {
	var b []byte
	use(&b)
}

func native262(use func(...any)) {
	var b []byte
	use(&b)
	b = []byte("xyz")
}

func setup263(use func(...any)) {
	var n int = -1
	var s string
	use(&n, &s)
}

func native263(use func(...any)) {
	var n int = -1
	var s string
	use(&n, &s)
	s = string(rune(n))
}

func setup264(use func(...any)) {
	var s = []string{"a"}
	var w Words
	use(&s, &w)
}

func native264(use func(...any)) {
	var s = []string{"a"}
	var w Words
	use(&s, &w)
	w = Words(s)
	s = []string(w)
}

func setup265(use func(...any)) {
	var s = []int{1, 2, 3}
	var a [2]int
	use(&s, &a)
}

func native265(use func(...any)) {
	var s = []int{1, 2, 3}
	var a [2]int
	use(&s, &a)
	a = [2]int(s)
}

func setup266(use func(...any)) {
	var f = func(a, b int) int { return a * b }
	var o Op
	var n int
	use(&f, &o, &n)
}

func native266(use func(...any)) {
	var f = func(a, b int) int { return a * b }
	var o Op
	var n int
	use(&f, &o, &n)
	o = Op(f)
	n = Op(f).Do(3, 4)
}

func setup267(use func(...any)) {
	var p = Twin{1, 2}
	var q struct{ X, Y int }
	use(&p, &q)
}

func native267(use func(...any)) {
	var p = Twin{1, 2}
	var q struct{ X, Y int }
	use(&p, &q)
	q = struct{ X, Y int }(p)
}

func setup268(use func(...any)) {
	var n int = 4
	var a any
	use(&n, &a)
}

func native268(use func(...any)) {
	var n int = 4
	var a any
	use(&n, &a)
	a = any(n)
}

func setup269(use func(...any)) {
	var p = Point{X: 1}
	var s fmt.Stringer
	use(&p, &s)
}

func native269(use func(...any)) {
	var p = Point{X: 1}
	var s fmt.Stringer
	use(&p, &s)
	s = fmt.Stringer(p)
}

func setup270(use func(...any)) {
	var err error = errBase
	use(&err)
}

func native270(use func(...any)) {
	var err error = errBase
	use(&err)
	err = error(nil)
}

func setup271(use func(...any)) {
	var p = &Point{}
	use(&p)
}

func native271(use func(...any)) {
	var p = &Point{}
	use(&p)
	p = (*Point)(nil)
}

func setup272(use func(...any)) {
	var d time.Duration
	var f float64 = 1.5
	use(&d, &f)
}

func native272(use func(...any)) {
	var d time.Duration
	var f float64 = 1.5
	use(&d, &f)
	d = time.Duration(f * float64(time.Second))
}

func setup273(use func(...any)) {
	var s string
	use(&s)
}

func native273(use func(...any)) {
	var s string
	use(&s)
	s = kind(int8(5)) + kind(float32(0.1)) + kind(uint(3)) + kind(rune(65)) + kind(byte(65))
}

func setup274(use func(...any)) {
	var s string
	use(&s)
}

func native274(use func(...any)) {
	var s string
	use(&s)
	s = kinds(time.Second, High, Low, math.MaxInt8)
}

func setup275(use func(...any)) {
	var s string
	use(&s)
}

func native275(use func(...any)) {
	var s string
	use(&s)
	s = kinds(1, 2.0, 'a', "s", true, 1i, 1e3, 1<<10, 'a'+1, 2*3.5)
}

func setup276(use func(...any)) {
	var x float64
	use(&x)
}

func native276(use func(...any)) {
	var x float64
	use(&x)
	x = 1 << 3
}

func setup277(use func(...any)) {
	var x float64
	use(&x)
}

func native277(use func(...any)) {
	var x float64
	use(&x)
	x = 1 << 62 * 4.0
}

func setup278(use func(...any)) {
	var x int
	use(&x)
}

func native278(use func(...any)) {
	var x int
	use(&x)
	x = (1 << 100) >> 98
}

func setup279(use func(...any)) {
	var x uint64
	use(&x)
}

func native279(use func(...any)) {
	var x uint64
	use(&x)
	x = math.MaxUint64
}

func setup280(use func(...any)) {
	var x int64
	use(&x)
}

func native280(use func(...any)) {
	var x int64
	use(&x)
	x = math.MinInt64
}

func setup281(use func(...any)) {
	var x float64
	use(&x)
}

func native281(use func(...any)) {
	var x float64
	use(&x)
	x = math.MaxFloat64
}

func setup282(use func(...any)) {
	var x float64
	var y float32
	use(&x, &y)
}

func native282(use func(...any)) {
	var x float64
	var y float32
	use(&x, &y)
	x, y = math.Pi, math.Pi
}

func setup283(use func(...any)) {
	var s string
	use(&s)
}

func native283(use func(...any)) {
	var s string
	use(&s)
	s = kind(math.Pi) + kind(math.Pi*2)
}

func setup284(use func(...any)) {
	var x float64
	use(&x)
}

func native284(use func(...any)) {
	var x float64
	use(&x)
	x = 1/3 + 1.0/3
}

func setup285(use func(...any)) {
	var r rune
	use(&r)
}

func native285(use func(...any)) {
	var r rune
	use(&r)
	r = 'a' + 1
}

func setup286(use func(...any)) {
	var b byte
	use(&b)
}

func native286(use func(...any)) {
	var b byte
	use(&b)
	b = 'z' - 'a' + 'A'
}

func setup287(use func(...any)) {
	var s string
	use(&s)
}

func native287(use func(...any)) {
	var s string
	use(&s)
	s = kind(unicode.MaxRune)
}

func setup288(use func(...any)) {
	var x int
	use(&x)
}

func native288(use func(...any)) {
	var x int
	use(&x)
	x = 0xff + 0o17 + 0b11 + 1_000
}

func setup289(use func(...any)) {
	var x float64
	use(&x)
}

func native289(use func(...any)) {
	var x float64
	use(&x)
	x = 0x1p-2
}

func setup290(use func(...any)) {
	var s string
	use(&s)
}

func native290(use func(...any)) {
	var s string
	use(&s)
	s = "é" + "\u00e9\n" + string("x")
}

func setup291(use func(...any)) {
	var d time.Duration
	use(&d)
}

func native291(use func(...any)) {
	var d time.Duration
	use(&d)
	d = time.Second / 3
}

func setup292(use func(...any)) {
	var b bool
	use(&b)
}

func native292(use func(...any)) {
	var b bool
	use(&b)
	b = 1 < 2 && "a" < "b"
}

func setup293(use func(...any)) {
	var x float32 = 0.1
	var b bool
	use(&x, &b)
}

func native293(use func(...any)) {
	var x float32 = 0.1
	var b bool
	use(&x, &b)
	b = x == 0.1
}

func setup294(use func(...any)) {
	var x uint8 = 3
	var y uint8
	use(&x, &y)
}

func native294(use func(...any)) {
	var x uint8 = 3
	var y uint8
	use(&x, &y)
	y = x*100/7 + 1
}

func setup295(use func(...any)) {
	var x int8
	use(&x)
}

func native295(use func(...any)) {
	var x int8
	use(&x)
	x = -128
}

func setup296(use func(...any)) {
	var x float64
	use(&x)
}

func native296(use func(...any)) {
	var x float64
	use(&x)
	x = -1.5e-3
}

func setup297(use func(...any)) {
	var n int
	use(&n)
}

func native297(use func(...any)) {
	var n int
	use(&n)
	n = len("héllo") + len([3]int{})
}

func setup298(use func(...any)) {
	var n int
	use(&n)
}

func native298(use func(...any)) {
	var n int
	use(&n)
	const k = 7
	n = k * 2
}

func setup299(use func(...any)) {
	var s string
	use(&s)
}

func native299(use func(...any)) {
	var s string
	use(&s)
	const k Level = 2
	s = kind(k)
}

func setup300(use func(...any)) {
	var s string
	use(&s)
}

func native300(use func(...any)) {
	var s string
	use(&s)
	s = kind(time.March) + time.March.String()
}

func setup301(use func(...any)) {
	var a, b int = 1, 2
	var r []bool
	use(&a, &b, &r)
}

func native301(use func(...any)) {
	var a, b int = 1, 2
	var r []bool
	use(&a, &b, &r)
	r = []bool{a == b, a != b, a < b, a <= b, a > b, a >= b}
}

func setup302(use func(...any)) {
	var a, b string = "a", "b"
	var r []bool
	use(&a, &b, &r)
}

func native302(use func(...any)) {
	var a, b string = "a", "b"
	var r []bool
	use(&a, &b, &r)
	r = []bool{a == b, a != b, a < b, a <= b, a > b, a >= b}
}

func setup303(use func(...any)) {
	var a float64 = math.NaN()
	var r []bool
	use(&a, &r)
}

func native303(use func(...any)) {
	var a float64 = math.NaN()
	var r []bool
	use(&a, &r)
	r = []bool{a == a, a != a, a < 1, a > 1}
}

func setup304(use func(...any)) {
	var a, b float32 = 0.1, 0.1
	var r bool
	use(&a, &b, &r)
}

func native304(use func(...any)) {
	var a, b float32 = 0.1, 0.1
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup305(use func(...any)) {
	var a, b uint8 = 200, 100
	var r bool
	use(&a, &b, &r)
}

func native305(use func(...any)) {
	var a, b uint8 = 200, 100
	var r bool
	use(&a, &b, &r)
	r = a > b
}

func setup306(use func(...any)) {
	var a, b uint64 = 1 << 63, 1
	var r bool
	use(&a, &b, &r)
}

func native306(use func(...any)) {
	var a, b uint64 = 1 << 63, 1
	var r bool
	use(&a, &b, &r)
	r = a > b
}

func setup307(use func(...any)) {
	var a, b complex128 = 1 + 1i, 1 + 1i
	var r bool
	use(&a, &b, &r)
}

func native307(use func(...any)) {
	var a, b complex128 = 1 + 1i, 1 + 1i
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup308(use func(...any)) {
	var a, b bool = true, false
	var r bool
	use(&a, &b, &r)
}

func native308(use func(...any)) {
	var a, b bool = true, false
	var r bool
	use(&a, &b, &r)
	r = a == b || a != b
}

func setup309(use func(...any)) {
	var p, q = Point{1, 2, "a"}, Point{1, 2, "a"}
	var r, s bool
	use(&p, &q, &r, &s)
}

func native309(use func(...any)) {
	var p, q = Point{1, 2, "a"}, Point{1, 2, "a"}
	var r, s bool
	use(&p, &q, &r, &s)
	r = p == q
	q.Y = 3
	s = p == q
}

func setup310(use func(...any)) {
	var p = Point{1, 2, "a"}
	var r bool
	use(&p, &r)
}

func native310(use func(...any)) {
	var p = Point{1, 2, "a"}
	var r bool
	use(&p, &r)
	r = p == Point{1, 2, "a"}
}

func setup311(use func(...any)) {
	var a, b = [2]int{1, 2}, [2]int{1, 2}
	var r bool
	use(&a, &b, &r)
}

func native311(use func(...any)) {
	var a, b = [2]int{1, 2}, [2]int{1, 2}
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup312(use func(...any)) {
	var p, q = &Point{}, &Point{}
	var r []bool
	use(&p, &q, &r)
}

func native312(use func(...any)) {
	var p, q = &Point{}, &Point{}
	var r []bool
	use(&p, &q, &r)
	r = []bool{p == q, p == p, p != q}
}

func setup313(use func(...any)) {
	var p *Point
	var q = &Point{}
	var r []bool
	use(&p, &q, &r)
}

func native313(use func(...any)) {
	var p *Point
	var q = &Point{}
	var r []bool
	use(&p, &q, &r)
	r = []bool{p == nil, q == nil, p != nil, q != nil}
}

func setup314(use func(...any)) {
	var s []int
	var t = []int{}
	var r []bool
	use(&s, &t, &r)
}

func native314(use func(...any)) {
	var s []int
	var t = []int{}
	var r []bool
	use(&s, &t, &r)
	r = []bool{s == nil, t == nil, s != nil, t != nil}
}

func setup315(use func(...any)) {
	var s map[string]int
	var t = map[string]int{}
	var r []bool
	use(&s, &t, &r)
}

func native315(use func(...any)) {
	var s map[string]int
	var t = map[string]int{}
	var r []bool
	use(&s, &t, &r)
	r = []bool{s == nil, t == nil}
}

func setup316(use func(...any)) {
	var f func(int) int
	var g = double
	var r []bool
	use(&f, &g, &r)
}

func native316(use func(...any)) {
	var f func(int) int
	var g = double
	var r []bool
	use(&f, &g, &r)
	r = []bool{f == nil, g == nil, g != nil}
}

func setup317(use func(...any)) {
	var c chan int
	var r bool
	use(&c, &r)
}

func native317(use func(...any)) {
	var c chan int
	var r bool
	use(&c, &r)
	r = c == nil
}

func setup318(use func(...any)) {
	var a, b any = nil, 1
	var r []bool
	use(&a, &b, &r)
}

func native318(use func(...any)) {
	var a, b any = nil, 1
	var r []bool
	use(&a, &b, &r)
	r = []bool{a == nil, b == nil, a != nil, b != nil}
}

func setup319(use func(...any)) {
	var a, b error = nil, errBase
	var r []bool
	use(&a, &b, &r)
}

func native319(use func(...any)) {
	var a, b error = nil, errBase
	var r []bool
	use(&a, &b, &r)
	r = []bool{a == nil, b == nil, a != nil, b != nil}
}

func setup320(use func(...any)) {
	var r bool
	use(&r)
}

func native320(use func(...any)) {
	var r bool
	use(&r)
	r = fails(0) == nil
}

func setup321(use func(...any)) {
	var o *Oops
	var err error
	var s bool = true
	use(&o, &err, &s)
}

func native321(use func(...any)) {
	var o *Oops
	var err error
	var s bool = true
	use(&o, &err, &s)
	err = o
	r := err == nil
	s = r
}

func setup322(use func(...any)) {
	var a, b any = 1, 1
	var c any = "x"
	var r []bool
	use(&a, &b, &c, &r)
}

func native322(use func(...any)) {
	var a, b any = 1, 1
	var c any = "x"
	var r []bool
	use(&a, &b, &c, &r)
	r = []bool{a == b, a == c, a != c}
}

func setup323(use func(...any)) {
	var a, b any = int8(1), 1
	var r bool
	use(&a, &b, &r)
}

func native323(use func(...any)) {
	var a, b any = int8(1), 1
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup324(use func(...any)) {
	var a any = 1
	var r []bool
	use(&a, &r)
}

func native324(use func(...any)) {
	var a any = 1
	var r []bool
	use(&a, &r)
	r = []bool{a == 1, a == 2, a == "x", a == 1.0}
}

func setup325(use func(...any)) {
	var a any = 5
	var n int = 5
	var r bool
	use(&a, &n, &r)
}

func native325(use func(...any)) {
	var a any = 5
	var n int = 5
	var r bool
	use(&a, &n, &r)
	r = a == n
}

func setup326(use func(...any)) {
	var a any = int8(5)
	var n int = 5
	var r bool
	use(&a, &n, &r)
}

func native326(use func(...any)) {
	var a any = int8(5)
	var n int = 5
	var r bool
	use(&a, &n, &r)
	r = a == any(n)
}

func setup327(use func(...any)) {
	var a any = Point{X: 1}
	var p = Point{X: 1}
	var q = Twin{X: 1}
	var r []bool
	use(&a, &p, &q, &r)
}

func native327(use func(...any)) {
	var a any = Point{X: 1}
	var p = Point{X: 1}
	var q = Twin{X: 1}
	var r []bool
	use(&a, &p, &q, &r)
	r = []bool{a == any(p), a == any(q)}
}

func setup328(use func(...any)) {
	var a, b error = errBase, errBase
	var r bool
	use(&a, &b, &r)
}

func native328(use func(...any)) {
	var a, b error = errBase, errBase
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup329(use func(...any)) {
	var a, b any = []int{1}, []int{1}
	var r bool
	use(&a, &b, &r)
}

func native329(use func(...any)) {
	var a, b any = []int{1}, []int{1}
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup330(use func(...any)) {
	var a, b fmt.Stringer = Point{X: 1}, Point{X: 1}
	var r bool
	use(&a, &b, &r)
}

func native330(use func(...any)) {
	var a, b fmt.Stringer = Point{X: 1}, Point{X: 1}
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup331(use func(...any)) {
	var l Level = 2
	var r []bool
	use(&l, &r)
}

func native331(use func(...any)) {
	var l Level = 2
	var r []bool
	use(&l, &r)
	r = []bool{l == High, l < High, Mid < l}
}

func setup332(use func(...any)) {
	var a, b = [2]any{1, "x"}, [2]any{1, "x"}
	var r bool
	use(&a, &b, &r)
}

func native332(use func(...any)) {
	var a, b = [2]any{1, "x"}, [2]any{1, "x"}
	var r bool
	use(&a, &b, &r)
	r = a == b
}

func setup333(use func(...any)) {
	var s string = "héy"
	var b byte
	use(&s, &b)
}

func native333(use func(...any)) {
	var s string = "héy"
	var b byte
	use(&s, &b)
	b = s[1]
}

func setup334(use func(...any)) {
	var s string = "hey"
	var t string
	use(&s, &t)
}

func native334(use func(...any)) {
	var s string = "hey"
	var t string
	use(&s, &t)
	t = kind(s[1])
}

func setup335(use func(...any)) {
	var b byte
	var i int = 2
	use(&b, &i)
}

func native335(use func(...any)) {
	var b byte
	var i int = 2
	use(&b, &i)
	b = "hey"[i]
}

func setup336(use func(...any)) {
	var s string = "hello"
	var a, b, c, d string
	use(&s, &a, &b, &c, &d)
}

func native336(use func(...any)) {
	var s string = "hello"
	var a, b, c, d string
	use(&s, &a, &b, &c, &d)
	a, b, c, d = s[1:3], s[:2], s[3:], s[:]
}

func setup337(use func(...any)) {
	var s string = "hello"
	var n int = 2
	var a string
	use(&s, &n, &a)
}

func native337(use func(...any)) {
	var s string = "hello"
	var n int = 2
	var a string
	use(&s, &n, &a)
	a = s[n-1:len(s)-1] + s[:n]
}

func setup338(use func(...any)) {
	var s string = "abc"
	var i int = 5
	var b byte
	use(&s, &i, &b)
}

func native338(use func(...any)) {
	var s string = "abc"
	var i int = 5
	var b byte
	use(&s, &i, &b)
	b = s[i]
}

func setup339(use func(...any)) {
	var s string = "abc"
	var i int = 5
	var b string
	use(&s, &i, &b)
}

func native339(use func(...any)) {
	var s string = "abc"
	var i int = 5
	var b string
	use(&s, &i, &b)
	b = s[i:]
}

func setup340(use func(...any)) {
	var s string = "abc"
	var i, j int = 2, 1
	var b string
	use(&s, &i, &j, &b)
}

func native340(use func(...any)) {
	var s string = "abc"
	var i, j int = 2, 1
	var b string
	use(&s, &i, &j, &b)
	b = s[i:j]
}

func setup341(use func(...any)) {
	var s = []int{1, 2, 3}
	var x, i int = 0, 2
	use(&s, &x, &i)
}

func native341(use func(...any)) {
	var s = []int{1, 2, 3}
	var x, i int = 0, 2
	use(&s, &x, &i)
	x = s[i] + s[0]
}

func setup342(use func(...any)) {
	var s = []int{1, 2, 3}
	var x int
	var i uint8 = 2
	use(&s, &x, &i)
}

func native342(use func(...any)) {
	var s = []int{1, 2, 3}
	var x int
	var i uint8 = 2
	use(&s, &x, &i)
	x = s[i]
}

func setup343(use func(...any)) {
	var s = []int{1, 2, 3}
	var x int
	use(&s, &x)
}

func native343(use func(...any)) {
	var s = []int{1, 2, 3}
	var x int
	use(&s, &x)
	x = s[len(s)-1]
}

func setup344(use func(...any)) {
	var x int
	use(&x)
}

func native344(use func(...any)) {
	var x int
	use(&x)
	x = []int{4, 5, 6}[double(1)]
}

func setup345(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	var x int
	use(&s, &x)
}

func native345(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	var x int
	use(&s, &x)
	x = s[1].X
	s[0].Y = 9
}

func setup346(use func(...any)) {
	var s = []*Point{{X: 1}, {X: 2}}
	use(&s)
}

func native346(use func(...any)) {
	var s = []*Point{{X: 1}, {X: 2}}
	use(&s)
	s[1].X = 9
}

func setup347(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
}

func native347(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
	s[1] = 20
}

func setup348(use func(...any)) {
	var s = []any{1, 2}
	use(&s)
}

func native348(use func(...any)) {
	var s = []any{1, 2}
	use(&s)
	s[0] = "x"
	s[1] = Point{X: 1}
}

func setup349(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	use(&s)
}

func native349(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	use(&s)
	s[1] = Point{X: 7}
}

func setup350(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	var p = Point{X: 5}
	use(&s, &p)
}

func native350(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	var p = Point{X: 5}
	use(&s, &p)
	s[1] = p
}

func setup351(use func(...any)) {
	var s = make([]error, 2)
	use(&s)
}

func native351(use func(...any)) {
	var s = make([]error, 2)
	use(&s)
	s[0] = &Oops{1}
	s[1] = errBase
}

func setup352(use func(...any)) {
	var s = [][]int{{1, 2}, {3, 4}}
	use(&s)
}

func native352(use func(...any)) {
	var s = [][]int{{1, 2}, {3, 4}}
	use(&s)
	s[1][0] = 30
	s[0] = []int{7}
}

func setup353(use func(...any)) {
	var s = []float32{1}
	use(&s)
}

func native353(use func(...any)) {
	var s = []float32{1}
	use(&s)
	s[0] = 0.1
}

func setup354(use func(...any)) {
	var s = []uint8{1}
	var n int = 300
	use(&s, &n)
}

func native354(use func(...any)) {
	var s = []uint8{1}
	var n int = 300
	use(&s, &n)
	s[0] = uint8(n)
}

func setup355(use func(...any)) {
	var s = []string{"a"}
	use(&s)
}

func native355(use func(...any)) {
	var s = []string{"a"}
	use(&s)
	s[0] = "b" + s[0]
}

func setup356(use func(...any)) {
	var s = []*Point{{X: 1}}
	use(&s)
}

func native356(use func(...any)) {
	var s = []*Point{{X: 1}}
	use(&s)
	s[0] = nil
}

func setup357(use func(...any)) {
	var s = []int{1, 2, 3, 4}
	var a, b, c, d []int
	use(&s, &a, &b, &c, &d)
}

func native357(use func(...any)) {
	var s = []int{1, 2, 3, 4}
	var a, b, c, d []int
	use(&s, &a, &b, &c, &d)
	a, b, c, d = s[1:3], s[:2], s[3:], s[:]
}

func setup358(use func(...any)) {
	var s = []int{1, 2, 3, 4}
	var a []int
	use(&s, &a)
}

func native358(use func(...any)) {
	var s = []int{1, 2, 3, 4}
	var a []int
	use(&s, &a)
	a = s[1:2:3]
	n := cap(a)
	a = append(a, n)
}

func setup359(use func(...any)) {
	var s = []int{1, 2, 3, 4}
	var a []int
	use(&s, &a)
}

func native359(use func(...any)) {
	var s = []int{1, 2, 3, 4}
	var a []int
	use(&s, &a)
	a = s[1:3]
	a[0] = 50
}

func setup360(use func(...any)) {
	var s = [4]int{1, 2, 3, 4}
	var a []int
	use(&s, &a)
}

func native360(use func(...any)) {
	var s = [4]int{1, 2, 3, 4}
	var a []int
	use(&s, &a)
	a = s[1:3]
	a[0] = 50
}

func setup361(use func(...any)) {
	var w = Words{"a", "b"}
	var v Words
	use(&w, &v)
}

func native361(use func(...any)) {
	var w = Words{"a", "b"}
	var v Words
	use(&w, &v)
	v = w[1:]
}

func setup362(use func(...any)) {
	var s = []int{1, 2, 3}
	var x, i int = 0, 5
	use(&s, &x, &i)
}

func native362(use func(...any)) {
	var s = []int{1, 2, 3}
	var x, i int = 0, 5
	use(&s, &x, &i)
	x = s[i]
}

func setup363(use func(...any)) {
	var s = []int{1, 2, 3}
	var x, i int = 0, -1
	use(&s, &x, &i)
}

func native363(use func(...any)) {
	var s = []int{1, 2, 3}
	var x, i int = 0, -1
	use(&s, &x, &i)
	x = s[i]
}

func setup364(use func(...any)) {
	var s = []int{1, 2, 3}
	var i int = 3
	use(&s, &i)
}

func native364(use func(...any)) {
	var s = []int{1, 2, 3}
	var i int = 3
	use(&s, &i)
	s[i] = 1
}

func setup365(use func(...any)) {
	var s []int
	var x int
	use(&s, &x)
}

func native365(use func(...any)) {
	var s []int
	var x int
	use(&s, &x)
	x = s[0]
}

func setup366(use func(...any)) {
	var s = []int{1, 2, 3}
	var i int = 9
	use(&s, &i)
}

func native366(use func(...any)) {
	var s = []int{1, 2, 3}
	var i int = 9
	use(&s, &i)
	s = s[1:i]
}

func setup367(use func(...any)) {
	var s = []int{1, 2, 3}
	var i int = 2
	use(&s, &i)
}

func native367(use func(...any)) {
	var s = []int{1, 2, 3}
	var i int = 2
	use(&s, &i)
	s = s[i:1]
}

func setup368(use func(...any)) {
	var a [3]int
	var i int = 4
	use(&a, &i)
}

func native368(use func(...any)) {
	var a [3]int
	var i int = 4
	use(&a, &i)
	a[i] = 1
}

func setup369(use func(...any)) {
	var s = make([]int, 2, 5)
	var n, m int
	use(&s, &n, &m)
}

func native369(use func(...any)) {
	var s = make([]int, 2, 5)
	var n, m int
	use(&s, &n, &m)
	n, m = len(s), cap(s)
}

func setup370(use func(...any)) {
	var s []int
	var n int = 3
	use(&s, &n)
}

func native370(use func(...any)) {
	var s []int
	var n int = 3
	use(&s, &n)
	s = make([]int, n)
	s[0] = cap(s)
}

func setup371(use func(...any)) {
	var s []string
	use(&s)
}

func native371(use func(...any)) {
	var s []string
	use(&s)
	s = make([]string, 1, 4)
}

func setup372(use func(...any)) {
	var s []int
	var n int = -1
	use(&s, &n)
}

func native372(use func(...any)) {
	var s []int
	var n int = -1
	use(&s, &n)
	s = make([]int, n)
}

func setup373(use func(...any)) {
	var s, t = []int{1, 2, 3}, []int{9, 8}
	var n int
	use(&s, &t, &n)
}

func native373(use func(...any)) {
	var s, t = []int{1, 2, 3}, []int{9, 8}
	var n int
	use(&s, &t, &n)
	n = copy(s, t)
}

func setup374(use func(...any)) {
	var b = make([]byte, 3)
	var n int
	use(&b, &n)
}

func native374(use func(...any)) {
	var b = make([]byte, 3)
	var n int
	use(&b, &n)
	n = copy(b, "hello")
}

func setup375(use func(...any)) {
	var s, t = []int{1, 2, 3}, []int{9, 8}
	use(&s, &t)
}

func native375(use func(...any)) {
	var s, t = []int{1, 2, 3}, []int{9, 8}
	use(&s, &t)
	copy(s[1:], t)
}

func setup376(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
}

func native376(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
	clear(s)
}

func setup377(use func(...any)) {
	var s = []int{1}
	use(&s)
}

func native377(use func(...any)) {
	var s = []int{1}
	use(&s)
	s = append(s, 2)
}

func setup378(use func(...any)) {
	var s []int
	use(&s)
}

func native378(use func(...any)) {
	var s []int
	use(&s)
	s = append(s, 2)
}

func setup379(use func(...any)) {
	var s = []int{1}
	use(&s)
}

func native379(use func(...any)) {
	var s = []int{1}
	use(&s)
	s = append(s, 2, 3, 4)
}

func setup380(use func(...any)) {
	var s = []int{1}
	use(&s)
}

func native380(use func(...any)) {
	var s = []int{1}
	use(&s)
	s = append(s)
}

func setup381(use func(...any)) {
	var s, t = []int{1}, []int{2, 3}
	use(&s, &t)
}

func native381(use func(...any)) {
	var s, t = []int{1}, []int{2, 3}
	use(&s, &t)
	s = append(s, t...)
}

func setup382(use func(...any)) {
	var s = []int{1}
	use(&s)
}

func native382(use func(...any)) {
	var s = []int{1}
	use(&s)
	s = append(s, []int{2, 3}...)
}

func setup383(use func(...any)) {
	var b = []byte("a")
	use(&b)
}

func native383(use func(...any)) {
	var b = []byte("a")
	use(&b)
	b = append(b, "bc"...)
}

func setup384(use func(...any)) {
	var s []int
	var x int = 5
	use(&s, &x)
}

func native384(use func(...any)) {
	var s []int
	var x int = 5
	use(&s, &x)
	s = append(s, x)
	s = append(s, x+1, double(x))
}

func setup385(use func(...any)) {
	var s = []int{1}
	var t []int
	use(&s, &t)
}

func native385(use func(...any)) {
	var s = []int{1}
	var t []int
	use(&s, &t)
	t = append(s, 2)
}

func setup386(use func(...any)) {
	var s []any
	use(&s)
}

func native386(use func(...any)) {
	var s []any
	use(&s)
	s = append(s, 1, "a", nil, Point{X: 1}, 2.5, 'x')
}

func setup387(use func(...any)) {
	var s []any
	var p = Point{X: 1}
	use(&s, &p)
}

func native387(use func(...any)) {
	var s []any
	var p = Point{X: 1}
	use(&s, &p)
	s = append(s, p)
	s = append(s, 7)
}

func setup388(use func(...any)) {
	var s []any
	use(&s)
}

func native388(use func(...any)) {
	var s []any
	use(&s)
	s = append(s, nil)
}

func setup389(use func(...any)) {
	var s []any
	var n int8 = 4
	use(&s, &n)
}

func native389(use func(...any)) {
	var s []any
	var n int8 = 4
	use(&s, &n)
	s = append(s, n, &n == nil)
}

func setup390(use func(...any)) {
	var s []error
	use(&s)
}

func native390(use func(...any)) {
	var s []error
	use(&s)
	s = append(s, errBase, nil, &Oops{1})
}

func setup391(use func(...any)) {
	var s []fmt.Stringer
	var p = Point{X: 1}
	use(&s, &p)
}

func native391(use func(...any)) {
	var s []fmt.Stringer
	var p = Point{X: 1}
	use(&s, &p)
	s = append(s, p, High)
}

func setup392(use func(...any)) {
	var s []Point
	use(&s)
}

func native392(use func(...any)) {
	var s []Point
	use(&s)
	s = append(s, Point{X: 1}, Point{Y: 2})
}

func setup393(use func(...any)) {
	var s []Point
	use(&s)
}

func native393(use func(...any)) {
	var s []Point
	use(&s)
	s = append(s, Point{X: 1})
}

func setup394(use func(...any)) {
	var s []Point
	var p = Point{X: 1}
	use(&s, &p)
}

func native394(use func(...any)) {
	var s []Point
	var p = Point{X: 1}
	use(&s, &p)
	s = append(s, p)
	p.X = 2
}

func setup395(use func(...any)) {
	var s []*Point
	use(&s)
}

func native395(use func(...any)) {
	var s []*Point
	use(&s)
	s = append(s, &Point{X: 1}, nil)
}

func setup396(use func(...any)) {
	var s []string
	use(&s)
}

func native396(use func(...any)) {
	var s []string
	use(&s)
	s = append(s, "a", "b"+"c")
}

func setup397(use func(...any)) {
	var s []float64
	use(&s)
}

func native397(use func(...any)) {
	var s []float64
	use(&s)
	s = append(s, 1, 2.5)
}

func setup398(use func(...any)) {
	var s []float32
	var x float32 = 0.1
	use(&s, &x)
}

func native398(use func(...any)) {
	var s []float32
	var x float32 = 0.1
	use(&s, &x)
	s = append(s, 1, x, x*3)
}

func setup399(use func(...any)) {
	var s []uint8
	use(&s)
}

func native399(use func(...any)) {
	var s []uint8
	use(&s)
	s = append(s, 1, 'a')
}

func setup400(use func(...any)) {
	var s []uint8
	use(&s)
}

func native400(use func(...any)) {
	var s []uint8
	use(&s)
	s = append(s, 'a')
}

func setup401(use func(...any)) {
	var s []rune
	use(&s)
}

func native401(use func(...any)) {
	var s []rune
	use(&s)
	s = append(s, 'a', 'é')
}

func setup402(use func(...any)) {
	var s []Level
	use(&s)
}

func native402(use func(...any)) {
	var s []Level
	use(&s)
	s = append(s, High, 1)
}

func setup403(use func(...any)) {
	var w Words
	use(&w)
}

func native403(use func(...any)) {
	var w Words
	use(&w)
	w = append(w, "a")
}

func setup404(use func(...any)) {
	var s [][]int
	use(&s)
}

func native404(use func(...any)) {
	var s [][]int
	use(&s)
	s = append(s, []int{1}, nil)
}

func setup405(use func(...any)) {
	var s []func(int) int
	use(&s)
}

func native405(use func(...any)) {
	var s []func(int) int
	use(&s)
	s = append(s, double)
}

func setup406(use func(...any)) {
	var l Line
	use(&l)
}

func native406(use func(...any)) {
	var l Line
	use(&l)
	l.Tags = append(l.Tags, "a", "b")
}

func setup407(use func(...any)) {
	var t = Table{}
	use(&t)
}

func native407(use func(...any)) {
	var t = Table{}
	use(&t)
	t["a"] = append(t["a"], 1, 2)
}

func setup408(use func(...any)) {
	var s = [][]int{nil}
	use(&s)
}

func native408(use func(...any)) {
	var s = [][]int{nil}
	use(&s)
	s[0] = append(s[0], 5)
}

func setup409(use func(...any)) {
	var s = make([]int, 1, 10)
	var t []int
	use(&s, &t)
}

func native409(use func(...any)) {
	var s = make([]int, 1, 10)
	var t []int
	use(&s, &t)
	t = append(s, 5)
	s = append(s, 6)
}

func setup410(use func(...any)) {
	var s []bool
	var x int = 3
	use(&s, &x)
}

func native410(use func(...any)) {
	var s []bool
	var x int = 3
	use(&s, &x)
	s = append(s, x > 2, x < 2)
}

func setup411(use func(...any)) {
	var s []int64
	use(&s)
}

func native411(use func(...any)) {
	var s []int64
	use(&s)
	s = append(s, 5, -1)
}

func setup412(use func(...any)) {
	var s []complex128
	use(&s)
}

func native412(use func(...any)) {
	var s []complex128
	use(&s)
	s = append(s, 1, 2i)
}

func setup413(use func(...any)) {
	var s []time.Duration
	use(&s)
}

func native413(use func(...any)) {
	var s []time.Duration
	use(&s)
	s = append(s, time.Second, 5)
}

func setup414(use func(...any)) {
	var s []map[string]int
	use(&s)
}

func native414(use func(...any)) {
	var s []map[string]int
	use(&s)
	s = append(s, map[string]int{"a": 1})
}

func setup415(use func(...any)) {
	var s []int
	var n int
	use(&s, &n)
}

func native415(use func(...any)) {
	var s []int
	var n int
	use(&s, &n)
	s = append(s, 1, 2, 3)
	n = cap(s)
}

func setup416(use func(...any)) {
	var a [3]int
	use(&a)
}

func native416(use func(...any)) {
	var a [3]int
	use(&a)
	a[1] = 5
}

func setup417(use func(...any)) {
	var a [2][3]int
	use(&a)
}

func native417(use func(...any)) {
	var a [2][3]int
	use(&a)
	a[1][2] = 5
}

func setup418(use func(...any)) {
	var a [2]Point
	use(&a)
}

func native418(use func(...any)) {
	var a [2]Point
	use(&a)
	a[1].X = 3
}

func setup419(use func(...any)) {
	var a [3]int
	var p = &a
	use(&a, &p)
}

func native419(use func(...any)) {
	var a [3]int
	var p = &a
	use(&a, &p)
	p[1] = 5
	n := len(p)
	a[0] = n
}

func setup420(use func(...any)) {
	var a [3]int
	var n int
	use(&a, &n)
}

func native420(use func(...any)) {
	var a [3]int
	var n int
	use(&a, &n)
	n = len(a) + cap(a)
}

func setup421(use func(...any)) {
	var m = map[string]int{"a": 1}
	var x, y int
	use(&m, &x, &y)
}

func native421(use func(...any)) {
	var m = map[string]int{"a": 1}
	var x, y int
	use(&m, &x, &y)
	x, y = m["a"], m["zz"]
}

func setup422(use func(...any)) {
	var m = map[string]int{"a": 1}
	var k string = "a"
	var x int
	use(&m, &k, &x)
}

func native422(use func(...any)) {
	var m = map[string]int{"a": 1}
	var k string = "a"
	var x int
	use(&m, &k, &x)
	x = m[k] + 1
}

func setup423(use func(...any)) {
	var m map[string]int
	var x int = 5
	use(&m, &x)
}

func native423(use func(...any)) {
	var m map[string]int
	var x int = 5
	use(&m, &x)
	x = m["a"]
}

func setup424(use func(...any)) {
	var m = map[string]Point{"a": {X: 1}}
	var x int
	use(&m, &x)
}

func native424(use func(...any)) {
	var m = map[string]Point{"a": {X: 1}}
	var x int
	use(&m, &x)
	x = m["a"].X + m["b"].X
}

func setup425(use func(...any)) {
	var m = map[string]*Point{"a": {X: 1}}
	use(&m)
}

func native425(use func(...any)) {
	var m = map[string]*Point{"a": {X: 1}}
	use(&m)
	m["a"].X = 5
}

func setup426(use func(...any)) {
	var m = map[string][]int{"a": {1, 2}}
	var x int
	use(&m, &x)
}

func native426(use func(...any)) {
	var m = map[string][]int{"a": {1, 2}}
	var x int
	use(&m, &x)
	x = m["a"][1]
	m["a"][0] = 7
}

func setup427(use func(...any)) {
	var m = map[string]map[string]int{"a": {"b": 1}}
	use(&m)
}

func native427(use func(...any)) {
	var m = map[string]map[string]int{"a": {"b": 1}}
	use(&m)
	m["a"]["c"] = 3
}

func setup428(use func(...any)) {
	var m = map[string]any{"a": 1}
	var a, b any
	use(&m, &a, &b)
}

func native428(use func(...any)) {
	var m = map[string]any{"a": 1}
	var a, b any
	use(&m, &a, &b)
	a, b = m["a"], m["b"]
}

func setup429(use func(...any)) {
	var m = map[string]any{"a": 1}
	var s string
	use(&m, &s)
}

func native429(use func(...any)) {
	var m = map[string]any{"a": 1}
	var s string
	use(&m, &s)
	s = kind(m["a"]) + kind(m["b"])
}

func setup430(use func(...any)) {
	var m = map[float64]int{0.5: 1}
	var x int
	use(&m, &x)
}

func native430(use func(...any)) {
	var m = map[float64]int{0.5: 1}
	var x int
	use(&m, &x)
	x = m[0.5]
}

func setup431(use func(...any)) {
	var m = map[Point]int{{X: 1}: 5}
	var x int
	use(&m, &x)
}

func native431(use func(...any)) {
	var m = map[Point]int{{X: 1}: 5}
	var x int
	use(&m, &x)
	x = m[Point{X: 1}]
}

func setup432(use func(...any)) {
	var m = map[any]int{1: 5, "a": 6}
	var n int = 1
	var x, y, z int
	use(&m, &n, &x, &y, &z)
}

func native432(use func(...any)) {
	var m = map[any]int{1: 5, "a": 6}
	var n int = 1
	var x, y, z int
	use(&m, &n, &x, &y, &z)
	x, y, z = m[n], m["a"], m[1]
}

func setup433(use func(...any)) {
	var m = map[rune]int{'a': 5}
	var x int
	use(&m, &x)
}

func native433(use func(...any)) {
	var m = map[rune]int{'a': 5}
	var x int
	use(&m, &x)
	x = m['a']
}

func setup434(use func(...any)) {
	var m = map[Level]string{High: "h"}
	var x string
	use(&m, &x)
}

func native434(use func(...any)) {
	var m = map[Level]string{High: "h"}
	var x string
	use(&m, &x)
	x = m[High]
}

func setup435(use func(...any)) {
	var m = map[string]int{"a": 1}
	var x int
	var ok bool
	use(&m, &x, &ok)
}

func native435(use func(...any)) {
	var m = map[string]int{"a": 1}
	var x int
	var ok bool
	use(&m, &x, &ok)
	x, ok = m["a"]
}

func setup436(use func(...any)) {
	var m = map[string]int{"a": 1}
	var x int = 7
	var ok bool = true
	use(&m, &x, &ok)
}

func native436(use func(...any)) {
	var m = map[string]int{"a": 1}
	var x int = 7
	var ok bool = true
	use(&m, &x, &ok)
	x, ok = m["b"]
}

func setup437(use func(...any)) {
	var m = map[string]int{"a": 1}
	var ok bool
	use(&m, &ok)
}

func native437(use func(...any)) {
	var m = map[string]int{"a": 1}
	var ok bool
	use(&m, &ok)
	_, ok = m["a"]
}

func setup438(use func(...any)) {
	var m = map[string]int{"a": 1}
	var y int
	use(&m, &y)
}

func native438(use func(...any)) {
	var m = map[string]int{"a": 1}
	var y int
	use(&m, &y)
	x, ok := m["a"]
	if ok {
		y = x + 1
	}
}

func setup439(use func(...any)) {
	var m = map[string]any{"a": 1}
	var v any
	var ok bool
	use(&m, &v, &ok)
}

func native439(use func(...any)) {
	var m = map[string]any{"a": 1}
	var v any
	var ok bool
	use(&m, &v, &ok)
	v, ok = m["a"]
}

func setup440(use func(...any)) {
	var m map[string]int
	var ok bool = true
	use(&m, &ok)
}

func native440(use func(...any)) {
	var m map[string]int
	var ok bool = true
	use(&m, &ok)
	_, ok = m["a"]
}

func setup441(use func(...any)) {
	var m = map[string]int{"a": 1}
	var s = make([]int, 1)
	var ok bool
	use(&m, &s, &ok)
}

func native441(use func(...any)) {
	var m = map[string]int{"a": 1}
	var s = make([]int, 1)
	var ok bool
	use(&m, &s, &ok)
	s[0], ok = m["a"]
}

func setup442(use func(...any)) {
	var m = map[string]int{}
	use(&m)
}

func native442(use func(...any)) {
	var m = map[string]int{}
	use(&m)
	m["a"] = 1
	m["b"] = double(4)
}

func setup443(use func(...any)) {
	var m = map[string]any{}
	use(&m)
}

func native443(use func(...any)) {
	var m = map[string]any{}
	use(&m)
	m["a"] = 1
	m["b"] = "x"
	m["c"] = Point{X: 1}
	m["d"] = nil
	m["e"] = []int{1}
}

func setup444(use func(...any)) {
	var m = map[string]any{}
	var x int8 = 5
	use(&m, &x)
}

func native444(use func(...any)) {
	var m = map[string]any{}
	var x int8 = 5
	use(&m, &x)
	m["a"] = x
	m["b"] = x + 1
}

func setup445(use func(...any)) {
	var m = map[any]string{}
	use(&m)
}

func native445(use func(...any)) {
	var m = map[any]string{}
	use(&m)
	m[1] = "int"
	m["a"] = "string"
	m[2.5] = "float"
	m[Point{X: 1}] = "point"
}

func setup446(use func(...any)) {
	var m = map[string]Point{}
	use(&m)
}

func native446(use func(...any)) {
	var m = map[string]Point{}
	use(&m)
	m["a"] = Point{X: 1}
}

func setup447(use func(...any)) {
	var m = map[string]Point{}
	var p = Point{X: 1}
	use(&m, &p)
}

func native447(use func(...any)) {
	var m = map[string]Point{}
	var p = Point{X: 1}
	use(&m, &p)
	m["a"] = p
	p.X = 2
}

func setup448(use func(...any)) {
	var m = map[string]error{}
	use(&m)
}

func native448(use func(...any)) {
	var m = map[string]error{}
	use(&m)
	m["a"] = errBase
	m["b"] = nil
	m["c"] = &Oops{1}
}

func setup449(use func(...any)) {
	var m = map[string][]int{}
	use(&m)
}

func native449(use func(...any)) {
	var m = map[string][]int{}
	use(&m)
	m["a"] = []int{1}
	m["b"] = nil
}

func setup450(use func(...any)) {
	var m = map[int]string{}
	var i int = 3
	use(&m, &i)
}

func native450(use func(...any)) {
	var m = map[int]string{}
	var i int = 3
	use(&m, &i)
	m[i] = "a"
	m[i*2] = "b"
}

func setup451(use func(...any)) {
	var m = map[uint8]string{}
	use(&m)
}

func native451(use func(...any)) {
	var m = map[uint8]string{}
	use(&m)
	m['a'] = "a"
	m[3] = "b"
}

func setup452(use func(...any)) {
	var m = map[float64]string{}
	use(&m)
}

func native452(use func(...any)) {
	var m = map[float64]string{}
	use(&m)
	m[1] = "a"
}

func setup453(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native453(use func(...any)) {
	var m map[string]int
	use(&m)
	m["a"] = 1
}

func setup454(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native454(use func(...any)) {
	var m map[string]int
	use(&m)
	m["a"]++
}

func setup455(use func(...any)) {
	var m = map[any]int{}
	use(&m)
}

func native455(use func(...any)) {
	var m = map[any]int{}
	use(&m)
	m[[]int{1}] = 1
}

func setup456(use func(...any)) {
	var m = map[string]int{"a": 1, "b": 2}
	use(&m)
}

func native456(use func(...any)) {
	var m = map[string]int{"a": 1, "b": 2}
	use(&m)
	delete(m, "a")
	delete(m, "z")
}

func setup457(use func(...any)) {
	var m = map[int]int{1: 1, 2: 2}
	var k int = 2
	use(&m, &k)
}

func native457(use func(...any)) {
	var m = map[int]int{1: 1, 2: 2}
	var k int = 2
	use(&m, &k)
	delete(m, k)
}

func setup458(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native458(use func(...any)) {
	var m map[string]int
	use(&m)
	delete(m, "a")
}

func setup459(use func(...any)) {
	var m = map[any]int{1: 1, "a": 2}
	use(&m)
}

func native459(use func(...any)) {
	var m = map[any]int{1: 1, "a": 2}
	use(&m)
	delete(m, 1)
}

func setup460(use func(...any)) {
	var m = map[string]int{"a": 1}
	var n int
	use(&m, &n)
}

func native460(use func(...any)) {
	var m = map[string]int{"a": 1}
	var n int
	use(&m, &n)
	n = len(m)
}

func setup461(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native461(use func(...any)) {
	var m map[string]int
	use(&m)
	m = make(map[string]int)
	m["a"] = 1
}

func setup462(use func(...any)) {
	var m map[string]int
	use(&m)
}

func native462(use func(...any)) {
	var m map[string]int
	use(&m)
	m = make(map[string]int, 10)
}

func setup463(use func(...any)) {
	var m = map[string]int{"a": 1}
	use(&m)
}

func native463(use func(...any)) {
	var m = map[string]int{"a": 1}
	use(&m)
	clear(m)
}

func setup464(use func(...any)) {
	var t = Table{}
	use(&t)
}

func native464(use func(...any)) {
	var t = Table{}
	use(&t)
	t["a"] = []int{1}
	n := len(t)
	t["b"] = []int{n}
}

func setup465(use func(...any)) {
	var p = Point{1, 2, "n"}
	var x int
	use(&p, &x)
}

func native465(use func(...any)) {
	var p = Point{1, 2, "n"}
	var x int
	use(&p, &x)
	x = p.X + p.Y
}

func setup466(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
}

func native466(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
	p.X = 10
	p.Name = "m"
}

func setup467(use func(...any)) {
	var p = &Point{1, 2, "n"}
	use(&p)
}

func native467(use func(...any)) {
	var p = &Point{1, 2, "n"}
	use(&p)
	p.X = p.Y * 5
}

func setup468(use func(...any)) {
	var p = &Point{1, 2, "n"}
	use(&p)
}

func native468(use func(...any)) {
	var p = &Point{1, 2, "n"}
	use(&p)
	(*p).X = 9
}

func setup469(use func(...any)) {
	var l Line
	use(&l)
}

func native469(use func(...any)) {
	var l Line
	use(&l)
	l.X = 5
	l.Point.Y = 6
	n := l.X + l.Y
	l.Name = kind(n)
}

func setup470(use func(...any)) {
	var l Line
	use(&l)
}

func native470(use func(...any)) {
	var l Line
	use(&l)
	l.Point = Point{X: 3}
}

func setup471(use func(...any)) {
	var l = Line{End: &Point{}}
	use(&l)
}

func native471(use func(...any)) {
	var l = Line{End: &Point{}}
	use(&l)
	l.End.X = 5
	n := l.End.X
	l.End.Y = n + 1
}

func setup472(use func(...any)) {
	var l Line
	use(&l)
}

func native472(use func(...any)) {
	var l Line
	use(&l)
	l.End = &Point{X: 5}
}

func setup473(use func(...any)) {
	var n = &Line{}
	use(&n)
}

func native473(use func(...any)) {
	var n = &Line{}
	use(&n)
	n.Point = Point{X: 1}
	n.End = newPoint(1, 2)
}

func setup474(use func(...any)) {
	var l Line
	use(&l)
}

func native474(use func(...any)) {
	var l Line
	use(&l)
	l.Tags = []string{"a"}
	l.Attr = map[string]int{"k": 1}
	l.Attr["j"] = 2
	l.Tags[0] = "b"
}

func setup475(use func(...any)) {
	var l Line
	use(&l)
}

func native475(use func(...any)) {
	var l Line
	use(&l)
	l.Grid[1][1] = 5
	l.Grid[0] = [2]int{1, 2}
}

func setup476(use func(...any)) {
	var l Line
	use(&l)
}

func native476(use func(...any)) {
	var l Line
	use(&l)
	l.Any = 5
}

func setup477(use func(...any)) {
	var l Line
	use(&l)
}

func native477(use func(...any)) {
	var l Line
	use(&l)
	l.Any = Point{X: 1}
}

func setup478(use func(...any)) {
	var l = Line{Any: 1, Err: errBase}
	use(&l)
}

func native478(use func(...any)) {
	var l = Line{Any: 1, Err: errBase}
	use(&l)
	l.Any = nil
	l.Err = nil
}

func setup479(use func(...any)) {
	var l Line
	use(&l)
}

func native479(use func(...any)) {
	var l Line
	use(&l)
	l.Err = &Oops{1}
}

func setup480(use func(...any)) {
	var l Line
	use(&l)
}

func native480(use func(...any)) {
	var l Line
	use(&l)
	l.Err = fails(2)
}

func setup481(use func(...any)) {
	var l Line
	var n int
	use(&l, &n)
}

func native481(use func(...any)) {
	var l Line
	var n int
	use(&l, &n)
	l.Apply = double
	n = l.Apply(4)
}

func setup482(use func(...any)) {
	var l = Line{Apply: double}
	var n int
	use(&l, &n)
}

func native482(use func(...any)) {
	var l = Line{Apply: double}
	var n int
	use(&l, &n)
	n = l.Apply(21)
}

func setup483(use func(...any)) {
	var h = hidden{a: 1}
	use(&h)
}

func native483(use func(...any)) {
	var h = hidden{a: 1}
	use(&h)
	h.a = 5
	h.b = "x"
	n := h.a
	h.a = n * 2
}

func setup484(use func(...any)) {
	var h = &hidden{a: 1}
	use(&h)
}

func native484(use func(...any)) {
	var h = &hidden{a: 1}
	use(&h)
	h.a = 5
	h.a += 2
	h.a++
}

func setup485(use func(...any)) {
	var n = &Node{1, &Node{2, nil}}
	var x int
	use(&n, &x)
}

func native485(use func(...any)) {
	var n = &Node{1, &Node{2, nil}}
	var x int
	use(&n, &x)
	x = n.Next.Value
	n.Next.Value = 5
	n.Next.Next = &Node{Value: 3}
}

func setup486(use func(...any)) {
	var n *Node
	use(&n)
}

func native486(use func(...any)) {
	var n *Node
	use(&n)
	n = &Node{Value: 1, Next: n}
	n = &Node{Value: 2, Next: n}
}

func setup487(use func(...any)) {
	var p *Point
	use(&p)
}

func native487(use func(...any)) {
	var p *Point
	use(&p)
	p.X = 1
}

func setup488(use func(...any)) {
	var p *Point
	var x int
	use(&p, &x)
}

func native488(use func(...any)) {
	var p *Point
	var x int
	use(&p, &x)
	x = p.X
}

func setup489(use func(...any)) {
	var p *Point
	var q Point
	use(&p, &q)
}

func native489(use func(...any)) {
	var p *Point
	var q Point
	use(&p, &q)
	q = *p
}

func setup490(use func(...any)) {
	var p *int
	var n int
	use(&p, &n)
}

func native490(use func(...any)) {
	var p *int
	var n int
	use(&p, &n)
	n = *p
}

func setup491(use func(...any)) {
	var p *int
	use(&p)
}

func native491(use func(...any)) {
	var p *int
	use(&p)
	*p = 1
}

func setup492(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
}

func native492(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
	q := &p
	q.X = 5
	q.Move(1, 1)
}

func setup493(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
}

func native493(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
	q := p
	q.X = 5
	p.Y = q.X
}

func setup494(use func(...any)) {
	var s = struct{ F float32 }{}
	use(&s)
}

func native494(use func(...any)) {
	var s = struct{ F float32 }{}
	use(&s)
	s.F = 0.1
	s.F *= 3
}

func setup495(use func(...any)) {
	var p = Point{1, 2, "n"}
	var n int
	use(&p, &n)
}

func native495(use func(...any)) {
	var p = Point{1, 2, "n"}
	var n int
	use(&p, &n)
	n = p.Sum()
}

func setup496(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
}

func native496(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
	p.Move(10, 20)
}

func setup497(use func(...any)) {
	var p = &Point{1, 2, "n"}
	use(&p)
}

func native497(use func(...any)) {
	var p = &Point{1, 2, "n"}
	use(&p)
	p.Move(10, 20)
	n := p.Sum()
	p.Name = kind(n)
}

func setup498(use func(...any)) {
	var s = []Point{{1, 2, "n"}}
	use(&s)
}

func native498(use func(...any)) {
	var s = []Point{{1, 2, "n"}}
	use(&s)
	s[0].Move(10, 20)
}

func setup499(use func(...any)) {
	var l Line
	use(&l)
}

func native499(use func(...any)) {
	var l Line
	use(&l)
	l.Move(3, 4)
	l.Point.Move(1, 1)
	n := l.Sum()
	l.Any = n
}

func setup500(use func(...any)) {
	var p, q = Point{1, 2, "n"}, Point{3, 4, "m"}
	var n int
	use(&p, &q, &n)
}

func native500(use func(...any)) {
	var p, q = Point{1, 2, "n"}, Point{3, 4, "m"}
	var n int
	use(&p, &q, &n)
	n = p.Add(q).Add(p).Sum()
}

func setup501(use func(...any)) {
	var n int
	use(&n)
}

func native501(use func(...any)) {
	var n int
	use(&n)
	n = newPoint(3, 4).Sum()
}

func setup502(use func(...any)) {
	var m = map[string]Point{"a": {1, 2, "n"}}
	var n int
	use(&m, &n)
}

func native502(use func(...any)) {
	var m = map[string]Point{"a": {1, 2, "n"}}
	var n int
	use(&m, &n)
	n = m["a"].Sum()
}

func setup503(use func(...any)) {
	var s Shape = Point{1, 2, "n"}
	var n int
	use(&s, &n)
}

func native503(use func(...any)) {
	var s Shape = Point{1, 2, "n"}
	var n int
	use(&s, &n)
	n = s.Sum()
}

func setup504(use func(...any)) {
	var s fmt.Stringer = Point{1, 2, "n"}
	var t string
	use(&s, &t)
}

func native504(use func(...any)) {
	var s fmt.Stringer = Point{1, 2, "n"}
	var t string
	use(&s, &t)
	t = s.String()
}

func setup505(use func(...any)) {
	var err error = &Oops{3}
	var t string
	use(&err, &t)
}

func native505(use func(...any)) {
	var err error = &Oops{3}
	var t string
	use(&err, &t)
	t = err.Error()
}

func setup506(use func(...any)) {
	var t string
	use(&t)
}

func native506(use func(...any)) {
	var t string
	use(&t)
	t = fails(4).Error()
}

func setup507(use func(...any)) {
	var c Celsius = 3
	var t string
	use(&c, &t)
}

func native507(use func(...any)) {
	var c Celsius = 3
	var t string
	use(&c, &t)
	t = c.String()
}

func setup508(use func(...any)) {
	var t string
	use(&t)
}

func native508(use func(...any)) {
	var t string
	use(&t)
	t = High.String() + Low.String()
}

func setup509(use func(...any)) {
	var w = Words{"a"}
	var n int
	use(&w, &n)
}

func native509(use func(...any)) {
	var w = Words{"a"}
	var n int
	use(&w, &n)
	w.Push("b")
	n = w.Len()
}

func setup510(use func(...any)) {
	var h = hidden{a: 4}
	var n int
	use(&h, &n)
}

func native510(use func(...any)) {
	var h = hidden{a: 4}
	var n int
	use(&h, &n)
	n = h.get()
}

func setup511(use func(...any)) {
	var h = hidden{a: 4}
	use(&h)
}

func native511(use func(...any)) {
	var h = hidden{a: 4}
	use(&h)
	h.set(9)
}

func setup512(use func(...any)) {
	var o = Op(func(a, b int) int { return a % b })
	var n int
	use(&o, &n)
}

func native512(use func(...any)) {
	var o = Op(func(a, b int) int { return a % b })
	var n int
	use(&o, &n)
	n = o.Do(9, 4)
}

func setup513(use func(...any)) {
	var p = Point{1, 2, "n"}
	var f func() int
	use(&p, &f)
}

func native513(use func(...any)) {
	var p = Point{1, 2, "n"}
	var f func() int
	use(&p, &f)
	f = p.Sum
	p.X = 100
	n := f()
	p.Y = n
}

func setup514(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
}

func native514(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
	f := p.Move
	f(1, 1)
}

func setup515(use func(...any)) {
	var p = Point{1, 2, "n"}
	var s string
	use(&p, &s)
}

func native515(use func(...any)) {
	var p = Point{1, 2, "n"}
	var s string
	use(&p, &s)
	s = kind(p.Sum())
}

func setup516(use func(...any)) {
	var p = Point{1, 2, "n"}
	var n int
	use(&p, &n)
}

func native516(use func(...any)) {
	var p = Point{1, 2, "n"}
	var n int
	use(&p, &n)
	n = Point.Sum(p)
}

func setup517(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
}

func native517(use func(...any)) {
	var p = Point{1, 2, "n"}
	use(&p)
	(*Point).Move(&p, 1, 2)
}

func setup518(use func(...any)) {
	var s = &Stack[int]{}
	var n int
	use(&s, &n)
}

func native518(use func(...any)) {
	var s = &Stack[int]{}
	var n int
	use(&s, &n)
	s.Push(4)
	s.Push(5)
	n = s.Len()
}

func setup519(use func(...any)) {
	var b strings.Builder
	use(&b)
}

func native519(use func(...any)) {
	var b strings.Builder
	use(&b)
	b.WriteString("abc")
	b.WriteByte('d')
	n := b.Len()
	b.WriteString(kind(n))
}

func setup520(use func(...any)) {
	var b = &strings.Builder{}
	use(&b)
}

func native520(use func(...any)) {
	var b = &strings.Builder{}
	use(&b)
	fmt.Fprintf(b, "%d-%s", 5, "x")
	s := b.String()
	b.WriteString(s)
}

func setup521(use func(...any)) {
	var d time.Duration = 90 * time.Second
	var m float64
	var s string
	use(&d, &m, &s)
}

func native521(use func(...any)) {
	var d time.Duration = 90 * time.Second
	var m float64
	var s string
	use(&d, &m, &s)
	m = d.Minutes()
	s = d.String()
}

func setup522(use func(...any)) {
	var p *Point
	var n int
	use(&p, &n)
}

func native522(use func(...any)) {
	var p *Point
	var n int
	use(&p, &n)
	n = p.Sum()
}

func setup523(use func(...any)) {
	var p *Point
	use(&p)
}

func native523(use func(...any)) {
	var p *Point
	use(&p)
	p.Move(1, 1)
}

func setup524(use func(...any)) {
	var s Shape
	var n int
	use(&s, &n)
}

func native524(use func(...any)) {
	var s Shape
	var n int
	use(&s, &n)
	n = s.Sum()
}

func setup525(use func(...any)) {
	var err error
	var s string
	use(&err, &s)
}

func native525(use func(...any)) {
	var err error
	var s string
	use(&err, &s)
	s = err.Error()
}

func setup526(use func(...any)) {
	var n int
	use(&n)
}

func native526(use func(...any)) {
	var n int
	use(&n)
	n = double(5)
}

func setup527(use func(...any)) {
	var n int
	use(&n)
}

func native527(use func(...any)) {
	var n int
	use(&n)
	n = double(double(3) + 1)
}

func setup528(use func(...any)) {
	var n int
	var s string
	use(&n, &s)
}

func native528(use func(...any)) {
	var n int
	var s string
	use(&n, &s)
	n, s = pair()
}

func setup529(use func(...any)) {
	var n int
	use(&n)
}

func native529(use func(...any)) {
	var n int
	use(&n)
	a, b, c := triple(3)
	n = a + b*10 + c*100
}

func setup530(use func(...any)) {
	var n int
	use(&n)
}

func native530(use func(...any)) {
	var n int
	use(&n)
	a, s := pair()
	a, t := double(a), s
	n = a + len(t)
}

func setup531(use func(...any)) {
	var n int
	use(&n)
}

func native531(use func(...any)) {
	var n int
	use(&n)
	_, n, _ = triple(3)
}

func setup532(use func(...any)) {
	var s = make([]int, 3)
	use(&s)
}

func native532(use func(...any)) {
	var s = make([]int, 3)
	use(&s)
	s[0], s[1], s[2] = triple(2)
}

func setup533(use func(...any)) {
	var p Point
	use(&p)
}

func native533(use func(...any)) {
	var p Point
	use(&p)
	p.X, p.Name = pair()
}

func setup534(use func(...any)) {
	var m = map[string]int{}
	use(&m)
}

func native534(use func(...any)) {
	var m = map[string]int{}
	use(&m)
	m["a"], m["b"], _ = triple(3)
}

func setup535(use func(...any)) {
	var a, b any
	use(&a, &b)
}

func native535(use func(...any)) {
	var a, b any
	use(&a, &b)
	a, b = pair()
}

func setup536(use func(...any)) {
	var s string
	use(&s)
}

func native536(use func(...any)) {
	var s string
	use(&s)
	s = kinds(pair())
}

func setup537(use func(...any)) {
	var n int
	use(&n)
}

func native537(use func(...any)) {
	var n int
	use(&n)
	n = sum(triple(2))
}

func setup538(use func(...any)) {
	var p *Point
	var err error
	use(&p, &err)
}

func native538(use func(...any)) {
	var p *Point
	var err error
	use(&p, &err)
	p, err = maybe(true)
}

func setup539(use func(...any)) {
	var p = &Point{}
	var err error
	use(&p, &err)
}

func native539(use func(...any)) {
	var p = &Point{}
	var err error
	use(&p, &err)
	p, err = maybe(false)
}

func setup540(use func(...any)) {
	var s string
	use(&s)
}

func native540(use func(...any)) {
	var s string
	use(&s)
	p, err := maybe(false)
	if err != nil {
		s = err.Error()
	}
	if p == nil {
		s += " nil"
	}
}

func setup541(use func(...any)) {
	var n int
	use(&n)
}

func native541(use func(...any)) {
	var n int
	use(&n)
	n = sum(1, 2, 3)
}

func setup542(use func(...any)) {
	var n int = 5
	use(&n)
}

func native542(use func(...any)) {
	var n int = 5
	use(&n)
	n = sum()
}

func setup543(use func(...any)) {
	var s = []int{1, 2, 3}
	var n int
	use(&s, &n)
}

func native543(use func(...any)) {
	var s = []int{1, 2, 3}
	var n int
	use(&s, &n)
	n = sum(s...)
}

func setup544(use func(...any)) {
	var s string
	use(&s)
}

func native544(use func(...any)) {
	var s string
	use(&s)
	s = mixed(1, "a") + mixed(1, "a", 2) + mixed(1, "a", 2, 3.5)
}

func setup545(use func(...any)) {
	var s string
	var x int8 = 4
	var p = Point{X: 1}
	use(&s, &x, &p)
}

func native545(use func(...any)) {
	var s string
	var x int8 = 4
	var p = Point{X: 1}
	use(&s, &x, &p)
	s = kinds(x, p, &p == nil, "s", nil, 2.5)
}

func setup546(use func(...any)) {
	var a = []any{1, "x", nil}
	var s string
	use(&a, &s)
}

func native546(use func(...any)) {
	var a = []any{1, "x", nil}
	var s string
	use(&a, &s)
	s = kinds(a...)
}

func setup547(use func(...any)) {
	var a = []int{1, 2}
	var s string
	use(&a, &s)
}

func native547(use func(...any)) {
	var a = []int{1, 2}
	var s string
	use(&a, &s)
	s = kinds(a)
}

func setup548(use func(...any)) {
	var s string
	use(&s)
}

func native548(use func(...any)) {
	var s string
	use(&s)
	s = kind(nil)
}

func setup549(use func(...any)) {
	var a int16 = 3
	var b float32 = 0.1
	var c []string = []string{"x"}
	var d map[string]int = map[string]int{"a": 1}
	var s string
	use(&a, &b, &c, &d, &s)
}

func native549(use func(...any)) {
	var a int16 = 3
	var b float32 = 0.1
	var c []string = []string{"x"}
	var d map[string]int = map[string]int{"a": 1}
	var s string
	use(&a, &b, &c, &d, &s)
	s = kinds(a, b, c, d, a+1, b*2, c[0], d["a"], len(c), -a, !true)
}

func setup550(use func(...any)) {
	var s string
	use(&s)
}

func native550(use func(...any)) {
	var s string
	use(&s)
	s = kinds(double(3), High, Celsius(3), fails(0), fails(1))
}

func setup551(use func(...any)) {
	var s string
	use(&s)
}

func native551(use func(...any)) {
	var s string
	use(&s)
	s = kinds([]int{1}, map[string]int{"a": 1}, Point{X: 1}, &Oops{2}, [2]int{1, 2})
}

func setup552(use func(...any)) {
	var x int = 4
	var s string
	use(&x, &s)
}

func native552(use func(...any)) {
	var x int = 4
	var s string
	use(&x, &s)
	s = kinds(x == 4, x > 4, x == 4 && x > 0)
}

func setup553(use func(...any)) {
	var p = Point{X: 1}
	var s string
	use(&p, &s)
}

func native553(use func(...any)) {
	var p = Point{X: 1}
	var s string
	use(&p, &s)
	s = text(p) + text(&p) + text(High) + text(Celsius(2))
}

func setup554(use func(...any)) {
	var s string
	use(&s)
}

func native554(use func(...any)) {
	var s string
	use(&s)
	s = text(Point{X: 1})
}

func setup555(use func(...any)) {
	var s string
	use(&s)
}

func native555(use func(...any)) {
	var s string
	use(&s)
	s = text(time.Second) + text(time.March)
}

func setup556(use func(...any)) {
	var p = &Point{X: 1, Y: 2}
	var n int
	use(&p, &n)
}

func native556(use func(...any)) {
	var p = &Point{X: 1, Y: 2}
	var n int
	use(&p, &n)
	n = total(p) + total(*p)
}

func setup557(use func(...any)) {
	var l = Line{Point: Point{X: 4}}
	var n int
	use(&l, &n)
}

func native557(use func(...any)) {
	var l = Line{Point: Point{X: 4}}
	var n int
	use(&l, &n)
	n = total(l) + total(&l)
}

func setup558(use func(...any)) {
	var r []bool
	var o *Oops
	use(&r, &o)
}

func native558(use func(...any)) {
	var r []bool
	var o *Oops
	use(&r, &o)
	r = []bool{isNil(nil), isNil(errBase), isNil(o), isNil(fails(0)), isNil(&Oops{1})}
}

func setup559(use func(...any)) {
	var n int
	use(&n)
}

func native559(use func(...any)) {
	var n int
	use(&n)
	n = apply(double, 4)
}

func setup560(use func(...any)) {
	var f = adder(5)
	var n int
	use(&f, &n)
}

func native560(use func(...any)) {
	var f = adder(5)
	var n int
	use(&f, &n)
	n = apply(f, 4) + f(1)
}

func setup561(use func(...any)) {
	var p = Point{1, 2, "n"}
	var n int = 0
	use(&p, &n)
}

func native561(use func(...any)) {
	var p = Point{1, 2, "n"}
	var n int = 0
	use(&p, &n)
	f := p.Sum
	n = f()
}

func setup562(use func(...any)) {
	var n int
	use(&n)
}

func native562(use func(...any)) {
	var n int
	use(&n)
	n = apply(nil, 4)
}

func setup563(use func(...any)) {
	var n int
	use(&n)
}

func native563(use func(...any)) {
	var n int
	use(&n)
	n = adder(3)(4)
}

func setup564(use func(...any)) {
	var f func(int) int
	var n int
	use(&f, &n)
}

func native564(use func(...any)) {
	var f func(int) int
	var n int
	use(&f, &n)
	n = f(3)
}

func setup565(use func(...any)) {
	var s string
	use(&s)
}

func native565(use func(...any)) {
	var s string
	use(&s)
	s = strings.Map(unicode.ToUpper, "abc")
}

func setup566(use func(...any)) {
	var f float64
	var g float32
	var b uint8
	use(&f, &g, &b)
}

func native566(use func(...any)) {
	var f float64
	var g float32
	var b uint8
	use(&f, &g, &b)
	f, g, b = wide(3), single(1), narrow(10)
}

func setup567(use func(...any)) {
	var s string
	use(&s)
}

func native567(use func(...any)) {
	var s string
	use(&s)
	s = level(2) + level(High)
}

func setup568(use func(...any)) {
	var r []int
	use(&r)
}

func native568(use func(...any)) {
	var r []int
	use(&r)
	r = []int{takesSlice(nil), takesMap(nil), takesSlice([]int{})}
	b := takes(nil)
	if b {
		r = append(r, 9)
	}
}

func setup569(use func(...any)) {
	var n int
	use(&n)
}

func native569(use func(...any)) {
	var n int
	use(&n)
	grow(&n)
	grow(&n)
}

func setup570(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
}

func native570(use func(...any)) {
	var s = []int{1, 2}
	use(&s)
	grow(&s[1])
}

func setup571(use func(...any)) {
	var p Point
	use(&p)
}

func native571(use func(...any)) {
	var p Point
	use(&p)
	grow(&p.Y)
}

func setup572(use func(...any)) {
	var m = map[string]int{}
	use(&m)
}

func native572(use func(...any)) {
	var m = map[string]int{}
	use(&m)
	fill(m, "a")
	fill(m, "a")
}

func setup573(use func(...any)) {
	var n int
	use(&n)
}

func native573(use func(...any)) {
	var n int
	use(&n)
	double(3)
	n = 1
}

func setup574(use func(...any)) {
	var n int
	use(&n)
}

func native574(use func(...any)) {
	var n int
	use(&n)
	n = crash("boom")
}

func setup575(use func(...any)) {
	var n int
	use(&n)
}

func native575(use func(...any)) {
	var n int
	use(&n)
	n = crashError()
}

func setup576(use func(...any)) {
	var n int
	use(&n)
}

func native576(use func(...any)) {
	var n int
	use(&n)
	n = index([]int{1}, 5)
}

func setup577(use func(...any)) {
	var i int
	var s string
	use(&i, &s)
}

func native577(use func(...any)) {
	var i int
	var s string
	use(&i, &s)
	s = kinds(grow(&i), grow(&i), i)
}

func setup578(use func(...any)) {
	var s = []int{3, 1, 2}
	use(&s)
}

func native578(use func(...any)) {
	var s = []int{3, 1, 2}
	use(&s)
	sort.Ints(s)
}

func setup579(use func(...any)) {
	var s = []string{"b", "a"}
	use(&s)
}

func native579(use func(...any)) {
	var s = []string{"b", "a"}
	use(&s)
	sort.Sort(sort.StringSlice(s))
}

func setup580(use func(...any)) {
	var s string
	var p = Point{X: 1}
	use(&s, &p)
}

func native580(use func(...any)) {
	var s string
	var p = Point{X: 1}
	use(&s, &p)
	s = fmt.Sprintf("%d %s %v %+v %T %q %5.2f|%-4d|%x", 5, "x", p, Twin{1, 2}, p, 'c', 3.14159, 7, "hi")
}

func setup581(use func(...any)) {
	var s string
	var a = []any{1, "b"}
	use(&s, &a)
}

func native581(use func(...any)) {
	var s string
	var a = []any{1, "b"}
	use(&s, &a)
	s = fmt.Sprintf("%v %v", a...)
}

func setup582(use func(...any)) {
	var s string
	var m = map[string][]Point{"a": {{X: 1}}}
	use(&s, &m)
}

func native582(use func(...any)) {
	var s string
	var m = map[string][]Point{"a": {{X: 1}}}
	use(&s, &m)
	s = fmt.Sprint(m, []any{Point{}, High}, &Point{X: 3}, errBase)
}

func setup583(use func(...any)) {
	var err error
	use(&err)
}

func native583(use func(...any)) {
	var err error
	use(&err)
	err = fmt.Errorf("w: %w", errBase)
}

func setup584(use func(...any)) {
	var r bool
	use(&r)
}

func native584(use func(...any)) {
	var r bool
	use(&r)
	r = errors.Is(wraps(3), errBase)
}

func setup585(use func(...any)) {
	var o *Oops
	var r bool
	use(&o, &r)
}

func native585(use func(...any)) {
	var o *Oops
	var r bool
	use(&o, &r)
	r = errors.As(fails(3), &o)
}

func setup586(use func(...any)) {
	var s string
	use(&s)
}

func native586(use func(...any)) {
	var s string
	use(&s)
	s = strings.ToUpper(strings.Repeat("ab", 2)) + strings.Join([]string{"x", "y"}, ",")
}

func setup587(use func(...any)) {
	var a, b string
	var ok bool
	use(&a, &b, &ok)
}

func native587(use func(...any)) {
	var a, b string
	var ok bool
	use(&a, &b, &ok)
	a, b, ok = strings.Cut("k=v", "=")
}

func setup588(use func(...any)) {
	var n int
	var err error
	use(&n, &err)
}

func native588(use func(...any)) {
	var n int
	var err error
	use(&n, &err)
	n, err = strconv.Atoi("12x")
}

func setup589(use func(...any)) {
	var s string
	use(&s)
}

func native589(use func(...any)) {
	var s string
	use(&s)
	b, err := json.Marshal(map[string]any{"a": 1, "p": Point{X: 1}})
	s = string(b)
	if err != nil {
		s = err.Error()
	}
}

func setup590(use func(...any)) {
	var p Point
	use(&p)
}

func native590(use func(...any)) {
	var p Point
	use(&p)
	err := json.Unmarshal([]byte(`{"X": 3}`), &p)
	if err != nil {
		p.Name = err.Error()
	}
}

func setup591(use func(...any)) {
	var a any
	use(&a)
}

func native591(use func(...any)) {
	var a any
	use(&a)
	json.Unmarshal([]byte(`{"X": [3]}`), &a)
}

func setup592(use func(...any)) {
	var n int
	var f float64
	use(&n, &f)
}

func native592(use func(...any)) {
	var n int
	var f float64
	use(&n, &f)
	fmt.Sscan("5 2.5", &n, &f)
}

func setup593(use func(...any)) {
	var x float64
	use(&x)
}

func native593(use func(...any)) {
	var x float64
	use(&x)
	x = math.Sqrt(2) + math.Pow(2, 10) + math.Max(1, 3)
}

func setup594(use func(...any)) {
	var t time.Time
	use(&t)
}

func native594(use func(...any)) {
	var t time.Time
	use(&t)
	t = time.Date(2024, time.March, 1, 0, 0, 0, 0, time.UTC)
	y := t.Year()
	t = t.AddDate(y-2024, 1, 0)
}

func setup595(use func(...any)) {
	var s = make([]int, 2, 4)
	var m = map[int]int{1: 1}
	var t string = "abc"
	var c = make(chan int, 3)
	var r []int
	use(&s, &m, &t, &c, &r)
}

func native595(use func(...any)) {
	var s = make([]int, 2, 4)
	var m = map[int]int{1: 1}
	var t string = "abc"
	var c = make(chan int, 3)
	var r []int
	use(&s, &m, &t, &c, &r)
	r = []int{len(s), cap(s), len(m), len(t), len(c), cap(c)}
}

func setup596(use func(...any)) {
	var s = []int{1}
	var t string
	use(&s, &t)
}

func native596(use func(...any)) {
	var s = []int{1}
	var t string
	use(&s, &t)
	t = kind(len(s))
}

func setup597(use func(...any)) {
	var p *int
	use(&p)
}

func native597(use func(...any)) {
	var p *int
	use(&p)
	p = new(int)
	*p = 4
}

func setup598(use func(...any)) {
	var p *Point
	use(&p)
}

func native598(use func(...any)) {
	var p *Point
	use(&p)
	p = new(Point)
	p.X = 4
}

func setup599(use func(...any)) {
	var x, y int = 3, 5
	var a, b int
	use(&x, &y, &a, &b)
}

func native599(use func(...any)) {
	var x, y int = 3, 5
	var a, b int
	use(&x, &y, &a, &b)
	a, b = min(x, y, 4), max(x, y)
}

func setup600(use func(...any)) {
	var x float64 = 2.5
	var y float64
	use(&x, &y)
}

func native600(use func(...any)) {
	var x float64 = 2.5
	var y float64
	use(&x, &y)
	y = min(x, 3)
}

func setup601(use func(...any)) {
	var x string = "b"
	var y string
	use(&x, &y)
}

func native601(use func(...any)) {
	var x string = "b"
	var y string
	use(&x, &y)
	y = min(x, "a")
}

func setup602(use func(...any)) {
	var n int = 1
	use(&n)
}

func native602(use func(...any)) {
	var n int = 1
	use(&n)
	panic("direct")
}

func setup603(use func(...any)) {
	var n int = 1
	use(&n)
}

func native603(use func(...any)) {
	var n int = 1
	use(&n)
	panic(errBase)
}

func setup604(use func(...any)) {
	var n int = 1
	use(&n)
}

func native604(use func(...any)) {
	var n int = 1
	use(&n)
	panic(n + 1)
}

func setup605(use func(...any)) {
	var n int = 1
	use(&n)
}

func native605(use func(...any)) {
	var n int = 1
	use(&n)
	panic(fmt.Sprintf("n=%d", n))
}

func setup606(use func(...any)) {
	var a any
	use(&a)
}

func native606(use func(...any)) {
	var a any
	use(&a)
	panic(a)
}

func setup607(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
}

func native607(use func(...any)) {
	var p = Point{X: 1}
	use(&p)
	panic(p)
}

func setup608(use func(...any)) {
	var c = make(chan int, 1)
	var ok bool = true
	use(&c, &ok)
}

func native608(use func(...any)) {
	var c = make(chan int, 1)
	var ok bool = true
	use(&c, &ok)
	close(c)
	_, ok = <-c
}

func setup609(use func(...any)) {
	var x, y int = 1, 0
	use(&x, &y)
}

func native609(use func(...any)) {
	var x, y int = 1, 0
	use(&x, &y)
	x = x / y
}

func setup610(use func(...any)) {
	var x, y int = 1, 0
	use(&x, &y)
}

func native610(use func(...any)) {
	var x, y int = 1, 0
	use(&x, &y)
	x = x % y
}

func setup611(use func(...any)) {
	var x, y int = 1, 0
	use(&x, &y)
}

func native611(use func(...any)) {
	var x, y int = 1, 0
	use(&x, &y)
	x /= y
}

func setup612(use func(...any)) {
	var x, y uint8 = 1, 0
	use(&x, &y)
}

func native612(use func(...any)) {
	var x, y uint8 = 1, 0
	use(&x, &y)
	x = x / y
}

func setup613(use func(...any)) {
	var a any = "s"
	var n int
	use(&a, &n)
}

func native613(use func(...any)) {
	var a any = "s"
	var n int
	use(&a, &n)
	n = a.(int)
}

func setup614(use func(...any)) {
	var a any
	var n int
	use(&a, &n)
}

func native614(use func(...any)) {
	var a any
	var n int
	use(&a, &n)
	n = a.(int)
}

func setup615(use func(...any)) {
	var a any = 5
	var s fmt.Stringer
	use(&a, &s)
}

func native615(use func(...any)) {
	var a any = 5
	var s fmt.Stringer
	use(&a, &s)
	s = a.(fmt.Stringer)
}

func setup616(use func(...any)) {
	var s = []int{1}
	var a [2]int
	use(&s, &a)
}

func native616(use func(...any)) {
	var s = []int{1}
	var a [2]int
	use(&s, &a)
	a = [2]int(s)
}

func setup617(use func(...any)) {
	var a, b int = 1, 0
	var s = []int{1}
	use(&a, &b, &s)
}

func native617(use func(...any)) {
	var a, b int = 1, 0
	var s = []int{1}
	use(&a, &b, &s)
	b = 5
	s[0] = 9
	a = s[b]
}

func setup618(use func(...any)) {
	var c = make(chan int, 1)
	use(&c)
}

func native618(use func(...any)) {
	var c = make(chan int, 1)
	use(&c)
	close(c)
	c <- 1
}

func setup619(use func(...any)) {
	var c chan int
	use(&c)
}

func native619(use func(...any)) {
	var c chan int
	use(&c)
	close(c)
}

func setup620(use func(...any)) {
	var a any = 5
	var n int
	use(&a, &n)
}

func native620(use func(...any)) {
	var a any = 5
	var n int
	use(&a, &n)
	n = a.(int)
}

func setup621(use func(...any)) {
	var a any = 5
	var n int
	var ok bool
	use(&a, &n, &ok)
}

func native621(use func(...any)) {
	var a any = 5
	var n int
	var ok bool
	use(&a, &n, &ok)
	n, ok = a.(int)
}

func setup622(use func(...any)) {
	var a any = 5
	var n string = "x"
	var ok bool = true
	use(&a, &n, &ok)
}

func native622(use func(...any)) {
	var a any = 5
	var n string = "x"
	var ok bool = true
	use(&a, &n, &ok)
	n, ok = a.(string)
}

func setup623(use func(...any)) {
	var a any = 5
	var r int
	use(&a, &r)
}

func native623(use func(...any)) {
	var a any = 5
	var r int
	use(&a, &r)
	n, ok := a.(int)
	if ok {
		r = n
	}
}

func setup624(use func(...any)) {
	var a any = 5
	var ok bool
	use(&a, &ok)
}

func native624(use func(...any)) {
	var a any = 5
	var ok bool
	use(&a, &ok)
	_, ok = a.(int)
}

func setup625(use func(...any)) {
	var a any = Point{X: 1}
	var p Point
	use(&a, &p)
}

func native625(use func(...any)) {
	var a any = Point{X: 1}
	var p Point
	use(&a, &p)
	p = a.(Point)
}

func setup626(use func(...any)) {
	var a any = Point{X: 1}
	var p Point
	var ok bool
	use(&a, &p, &ok)
}

func native626(use func(...any)) {
	var a any = Point{X: 1}
	var p Point
	var ok bool
	use(&a, &p, &ok)
	p, ok = a.(Point)
}

func setup627(use func(...any)) {
	var a any = Point{X: 1}
	var ok bool
	use(&a, &ok)
}

func native627(use func(...any)) {
	var a any = Point{X: 1}
	var ok bool
	use(&a, &ok)
	_, ok = a.(Twin)
}

func setup628(use func(...any)) {
	var a any = &Point{X: 1}
	var p *Point
	use(&a, &p)
}

func native628(use func(...any)) {
	var a any = &Point{X: 1}
	var p *Point
	use(&a, &p)
	p = a.(*Point)
}

func setup629(use func(...any)) {
	var a any = Point{X: 1}
	var s fmt.Stringer
	use(&a, &s)
}

func native629(use func(...any)) {
	var a any = Point{X: 1}
	var s fmt.Stringer
	use(&a, &s)
	s = a.(fmt.Stringer)
}

func setup630(use func(...any)) {
	var a any = Point{X: 1}
	var s Shape
	var ok bool
	use(&a, &s, &ok)
}

func native630(use func(...any)) {
	var a any = Point{X: 1}
	var s Shape
	var ok bool
	use(&a, &s, &ok)
	s, ok = a.(Shape)
}

func setup631(use func(...any)) {
	var a any = 5
	var ok bool = true
	use(&a, &ok)
}

func native631(use func(...any)) {
	var a any = 5
	var ok bool = true
	use(&a, &ok)
	_, ok = a.(Shape)
}

func setup632(use func(...any)) {
	var err error = &Oops{3}
	var o *Oops
	use(&err, &o)
}

func native632(use func(...any)) {
	var err error = &Oops{3}
	var o *Oops
	use(&err, &o)
	o = err.(*Oops)
}

func setup633(use func(...any)) {
	var err error = errBase
	var ok bool = true
	use(&err, &ok)
}

func native633(use func(...any)) {
	var err error = errBase
	var ok bool = true
	use(&err, &ok)
	_, ok = err.(*Oops)
}

func setup634(use func(...any)) {
	var a any = High
	var l Level
	var ok, ko bool
	use(&a, &l, &ok, &ko)
}

func native634(use func(...any)) {
	var a any = High
	var l Level
	var ok, ko bool
	use(&a, &l, &ok, &ko)
	l, ok = a.(Level)
	_, ko = a.(int)
}

func setup635(use func(...any)) {
	var a any = []int{1, 2}
	var s []int
	use(&a, &s)
}

func native635(use func(...any)) {
	var a any = []int{1, 2}
	var s []int
	use(&a, &s)
	s = a.([]int)
}

func setup636(use func(...any)) {
	var a any = map[string]any{"x": 1.5}
	var f float64
	use(&a, &f)
}

func native636(use func(...any)) {
	var a any = map[string]any{"x": 1.5}
	var f float64
	use(&a, &f)
	f = a.(map[string]any)["x"].(float64)
}

func setup637(use func(...any)) {
	var a any = Point{X: 4}
	var n int
	use(&a, &n)
}

func native637(use func(...any)) {
	var a any = Point{X: 4}
	var n int
	use(&a, &n)
	n = a.(Point).X + a.(Point).Sum()
}

func setup638(use func(...any)) {
	var a any = 5
	var n int
	use(&a, &n)
}

func native638(use func(...any)) {
	var a any = 5
	var n int
	use(&a, &n)
	n = a.(int) + 1
}

func setup639(use func(...any)) {
	var r int
	use(&r)
}

func native639(use func(...any)) {
	var r int
	use(&r)
	x := 5
	y := x * 2
	r = x + y
}

func setup640(use func(...any)) {
	var s string
	use(&s)
}

func native640(use func(...any)) {
	var s string
	use(&s)
	x := "a"
	s = kind(x)
}

func setup641(use func(...any)) {
	var s string
	use(&s)
}

func native641(use func(...any)) {
	var s string
	use(&s)
	x := 2.0
	s = kind(x) + kind(x/4)
}

func setup642(use func(...any)) {
	var s string
	use(&s)
}

func native642(use func(...any)) {
	var s string
	use(&s)
	x := 'a'
	s = kind(x)
}

func setup643(use func(...any)) {
	var s string
	use(&s)
}

func native643(use func(...any)) {
	var s string
	use(&s)
	x := byte('a')
	x += 200
	s = kind(x)
}

func setup644(use func(...any)) {
	var s string
	use(&s)
}

func native644(use func(...any)) {
	var s string
	use(&s)
	x := High
	s = kind(x)
}

func setup645(use func(...any)) {
	var s string
	use(&s)
}

func native645(use func(...any)) {
	var s string
	use(&s)
	x := 1 << 3
	y := 7 / 2.0
	s = kinds(x, y)
}

func setup646(use func(...any)) {
	var s string
	use(&s)
}

func native646(use func(...any)) {
	var s string
	use(&s)
	x := time.Second * 2
	s = kind(x)
}

func setup647(use func(...any)) {
	var s string
	use(&s)
}

func native647(use func(...any)) {
	var s string
	use(&s)
	p := newPoint(1, 2)
	p.Move(1, 1)
	s = kind(p.X)
}

func setup648(use func(...any)) {
	var r []int
	use(&r)
}

func native648(use func(...any)) {
	var r []int
	use(&r)
	x := []int{1, 2}
	x = append(x, 3)
	x[0] = 9
	r = x
}

func setup649(use func(...any)) {
	var r map[string]int
	use(&r)
}

func native649(use func(...any)) {
	var r map[string]int
	use(&r)
	x := map[string]int{}
	x["a"]++
	r = x
}

func setup650(use func(...any)) {
	var r Point
	use(&r)
}

func native650(use func(...any)) {
	var r Point
	use(&r)
	p := Point{X: 1}
	p.Y = 5
	p.Move(1, 1)
	r = p
}

func setup651(use func(...any)) {
	var r *Point
	use(&r)
}

func native651(use func(...any)) {
	var r *Point
	use(&r)
	p := &Point{X: 1}
	p.Y = 5
	r = p
}

func setup652(use func(...any)) {
	var r int
	use(&r)
}

func native652(use func(...any)) {
	var r int
	use(&r)
	var x int
	var y, z = 2, "s"
	x += y
	r = x + len(z)
}

func setup653(use func(...any)) {
	var r float64
	use(&r)
}

func native653(use func(...any)) {
	var r float64
	use(&r)
	var x float64 = 3
	r = x / 2
}

func setup654(use func(...any)) {
	var r string
	use(&r)
}

func native654(use func(...any)) {
	var r string
	use(&r)
	var p Point
	var s []int
	var m map[string]int
	var e error
	r = kinds(p, s == nil, m == nil, e)
}

func setup655(use func(...any)) {
	var r int
	use(&r)
}

func native655(use func(...any)) {
	var r int
	use(&r)
	var p Point
	p.Move(2, 3)
	r = p.Sum()
}

func setup656(use func(...any)) {
	var r string
	use(&r)
}

func native656(use func(...any)) {
	var r string
	use(&r)
	var a any = 5
	r = kind(a)
}

func setup657(use func(...any)) {
	var r bool
	use(&r)
}

func native657(use func(...any)) {
	var r bool
	use(&r)
	var err error
	r = err == nil
}

func setup658(use func(...any)) {
	var x int = 5
	use(&x)
}

func native658(use func(...any)) {
	var x int = 5
	use(&x)
	y := x
	y++
	x = x*10 + y
}

func setup659(use func(...any)) {
	var s string
	use(&s)
}

func native659(use func(...any)) {
	var s string
	use(&s)
	type local struct{ A int }
	s = fmt.Sprint(local{1})
}

func setup660(use func(...any)) {
	var n int
	use(&n)
}

func native660(use func(...any)) {
	var n int
	use(&n)
	f := func(a int) int { return a + 1 }
	n = f(4)
}

func setup661(use func(...any)) {
	var n int = 3
	use(&n)
}

func native661(use func(...any)) {
	var n int = 3
	use(&n)
	f := func() { n = n * 2 }
	f()
	f()
}

func setup662(use func(...any)) {
	var s = []int{3, 1, 2}
	use(&s)
}

func native662(use func(...any)) {
	var s = []int{3, 1, 2}
	use(&s)
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
}

func setup663(use func(...any)) {
	var f func(int) int
	use(&f)
}

func native663(use func(...any)) {
	var f func(int) int
	use(&f)
	k := 10
	f = func(a int) int { return a + k }
	n := f(1)
	k = n
}

func setup664(use func(...any)) {
	var x int = 5
	use(&x)
}

func native664(use func(...any)) {
	var x int = 5
	use(&x)
	if x > 3 {
		x = 1
	}
}

func setup665(use func(...any)) {
	var x int = 5
	use(&x)
}

func native665(use func(...any)) {
	var x int = 5
	use(&x)
	if x > 30 {
		x = 1
	} else {
		x = 2
	}
}

func setup666(use func(...any)) {
	var x int = 5
	use(&x)
}

func native666(use func(...any)) {
	var x int = 5
	use(&x)
	if x > 30 {
		x = 1
	} else if x == 5 {
		x = 3
	} else {
		x = 2
	}
}

func setup667(use func(...any)) {
	var x int
	use(&x)
}

func native667(use func(...any)) {
	var x int
	use(&x)
	if y := double(4); y > 3 {
		x = y
	} else {
		x = -y
	}
}

func setup668(use func(...any)) {
	var m = map[string]int{"a": 4}
	var x int
	use(&m, &x)
}

func native668(use func(...any)) {
	var m = map[string]int{"a": 4}
	var x int
	use(&m, &x)
	if v, ok := m["a"]; ok {
		x = v
	}
	if v, ok := m["b"]; !ok {
		x += 10 + v
	}
}

func setup669(use func(...any)) {
	var s string
	use(&s)
}

func native669(use func(...any)) {
	var s string
	use(&s)
	if err := fails(2); err != nil {
		s = err.Error()
	}
	if _, err := maybe(true); err != nil {
		s = "bad"
	}
}

func setup670(use func(...any)) {
	var a any = 5
	var x int
	use(&a, &x)
}

func native670(use func(...any)) {
	var a any = 5
	var x int
	use(&a, &x)
	if n, ok := a.(int); ok {
		x = n
	}
}

func setup671(use func(...any)) {
	var x, y int = 1, 2
	var s string
	use(&x, &y, &s)
}

func native671(use func(...any)) {
	var x, y int = 1, 2
	var s string
	use(&x, &y, &s)
	if x == 1 && y == 2 || x > 100 {
		s = "a"
	}
	if !(x == 1) || y != 2 {
		s = "b"
	}
}

func setup672(use func(...any)) {
	var b bool = true
	var x int
	use(&b, &x)
}

func native672(use func(...any)) {
	var b bool = true
	var x int
	use(&b, &x)
	if b {
		x = 1
	}
	if !b {
		x = 2
	}
}

func setup673(use func(...any)) {
	var x int
	use(&x)
}

func native673(use func(...any)) {
	var x int
	use(&x)
	if isNil(nil) {
		x = 1
	}
}

func setup674(use func(...any)) {
	var x int = 1
	use(&x)
}

func native674(use func(...any)) {
	var x int = 1
	use(&x)
	y := 1
	if x == 1 {
		y := 5
		y++
		x = y
	}
	x += y
}

func setup675(use func(...any)) {
	var x int = 1
	use(&x)
}

func native675(use func(...any)) {
	var x int = 1
	use(&x)
	if x == 1 {
		x = 2
		return
	}
	x = 3
}

func setup676(use func(...any)) {
	var x int
	use(&x)
}

func native676(use func(...any)) {
	var x int
	use(&x)
	if true {
		x = 1
	}
	if false {
		x = 2
	}
}

func setup677(use func(...any)) {
	var s int
	use(&s)
}

func native677(use func(...any)) {
	var s int
	use(&s)
	for i := 0; i < 10; i++ {
		s += i
	}
}

func setup678(use func(...any)) {
	var n int = 100
	use(&n)
}

func native678(use func(...any)) {
	var n int = 100
	use(&n)
	for n > 10 {
		n /= 2
	}
}

func setup679(use func(...any)) {
	var s int
	use(&s)
}

func native679(use func(...any)) {
	var s int
	use(&s)
	for i := 0; i < 100; i++ {
		if i%2 == 0 {
			continue
		}
		if i > 10 {
			break
		}
		s += i
	}
}

func setup680(use func(...any)) {
	var n int
	use(&n)
}

func native680(use func(...any)) {
	var n int
	use(&n)
	for {
		n++
		if n == 7 {
			break
		}
	}
}

func setup681(use func(...any)) {
	var s int
	use(&s)
}

func native681(use func(...any)) {
	var s int
	use(&s)
	for i := 0; i < 4; i++ {
		for j := 0; j < i; j++ {
			s += i * j
		}
	}
}

func setup682(use func(...any)) {
	var s int
	use(&s)
}

func native682(use func(...any)) {
	var s int
	use(&s)
outer:
	for i := 0; i < 4; i++ {
		for j := 0; j < 4; j++ {
			if j == 2 {
				continue outer
			}
			if i == 3 {
				break outer
			}
			s += 10*i + j
		}
	}
}

func setup683(use func(...any)) {
	var i int
	var s []int
	use(&i, &s)
}

func native683(use func(...any)) {
	var i int
	var s []int
	use(&i, &s)
	for i = 0; i < 3; i++ {
		s = append(s, i)
	}
}

func setup684(use func(...any)) {
	var s []*int
	use(&s)
}

func native684(use func(...any)) {
	var s []*int
	use(&s)
	for i := 0; i < 3; i++ {
		s = append(s, &i)
	}
}

func setup685(use func(...any)) {
	var s []func(int) int
	use(&s)
}

func native685(use func(...any)) {
	var s []func(int) int
	use(&s)
	for i := 0; i < 3; i++ {
		s = append(s, func(a int) int { return a + i })
	}
	n := s[0](0) + s[2](0)
	if n != 2 {
		s = nil
	}
}

func setup686(use func(...any)) {
	var s int
	use(&s)
}

func native686(use func(...any)) {
	var s int
	use(&s)
	for i, j := 0, 10; i < j; i, j = i+1, j-1 {
		s += j - i
	}
}

func setup687(use func(...any)) {
	var s float64
	use(&s)
}

func native687(use func(...any)) {
	var s float64
	use(&s)
	for x := 0.0; x < 1; x += 0.25 {
		s += x
	}
}

func setup688(use func(...any)) {
	var n int
	use(&n)
}

func native688(use func(...any)) {
	var n int
	use(&n)
	for i := uint8(250); i != 3; i++ {
		n++
	}
}

func setup689(use func(...any)) {
	var s []int
	use(&s)
}

func native689(use func(...any)) {
	var s []int
	use(&s)
	for i := 0; i < 3; i++ {
		x := i * i
		s = append(s, x)
	}
}

func setup690(use func(...any)) {
	var s []int
	use(&s)
}

func native690(use func(...any)) {
	var s []int
	use(&s)
	for i := 0; i < 3; i++ {
		var x int
		x += i
		s = append(s, x)
	}
}

func setup691(use func(...any)) {
	var s [][]int
	use(&s)
}

func native691(use func(...any)) {
	var s [][]int
	use(&s)
	for i := 0; i < 3; i++ {
		var x []int
		x = append(x, i)
		s = append(s, x)
	}
}

func setup692(use func(...any)) {
	var s []Point
	use(&s)
}

func native692(use func(...any)) {
	var s []Point
	use(&s)
	for i := 0; i < 3; i++ {
		var p Point
		p.X += i
		s = append(s, p)
	}
}

func setup693(use func(...any)) {
	var s []*Point
	use(&s)
}

func native693(use func(...any)) {
	var s []*Point
	use(&s)
	for i := 0; i < 3; i++ {
		p := Point{X: i}
		s = append(s, &p)
	}
}

func setup694(use func(...any)) {
	var s []Point
	use(&s)
}

func native694(use func(...any)) {
	var s []Point
	use(&s)
	for i := 0; i < 3; i++ {
		p := Point{X: i}
		p.Y++
		s = append(s, p)
	}
}

func setup695(use func(...any)) {
	var m = map[int]Point{}
	use(&m)
}

func native695(use func(...any)) {
	var m = map[int]Point{}
	use(&m)
	for i := 0; i < 3; i++ {
		m[i] = Point{X: i}
	}
}

func setup696(use func(...any)) {
	var s [][]int
	use(&s)
}

func native696(use func(...any)) {
	var s [][]int
	use(&s)
	for i := 0; i < 3; i++ {
		s = append(s, []int{i})
	}
}

func setup697(use func(...any)) {
	var s []*Point
	use(&s)
}

func native697(use func(...any)) {
	var s []*Point
	use(&s)
	for i := 0; i < 3; i++ {
		s = append(s, &Point{X: i})
	}
}

func setup698(use func(...any)) {
	var s []any
	use(&s)
}

func native698(use func(...any)) {
	var s []any
	use(&s)
	for i := 0; i < 3; i++ {
		s = append(s, i)
	}
}

func setup699(use func(...any)) {
	var m = map[string]any{}
	use(&m)
}

func native699(use func(...any)) {
	var m = map[string]any{}
	use(&m)
	for i := 0; i < 3; i++ {
		m[kind(i)] = i
	}
}

func setup700(use func(...any)) {
	var s []any
	use(&s)
}

func native700(use func(...any)) {
	var s []any
	use(&s)
	for i := 0; i < 3; i++ {
		p := Point{X: i}
		s = append(s, p)
	}
}

func setup701(use func(...any)) {
	var s []*int
	use(&s)
}

func native701(use func(...any)) {
	var s []*int
	use(&s)
	for i := 0; i < 3; i++ {
		p := new(int)
		*p = i
		s = append(s, p)
	}
}

func setup702(use func(...any)) {
	var s = []int{1, 2, 3}
	var n int
	use(&s, &n)
}

func native702(use func(...any)) {
	var s = []int{1, 2, 3}
	var n int
	use(&s, &n)
	for i, x := range s {
		n += i * x
	}
}

func setup703(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
}

func native703(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
	for i := range s {
		s[i] *= 2
	}
}

func setup704(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	use(&s)
}

func native704(use func(...any)) {
	var s = []Point{{X: 1}, {X: 2}}
	use(&s)
	for _, p := range s {
		p.X = 100
	}
}

func setup705(use func(...any)) {
	var n int
	use(&n)
}

func native705(use func(...any)) {
	var n int
	use(&n)
	for range []int{1, 2} {
		n++
	}
}

func setup706(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
}

func native706(use func(...any)) {
	var s = []int{1, 2, 3}
	use(&s)
	for _, x := range s {
		s = append(s, x)
	}
}

func setup707(use func(...any)) {
	var a = [3]int{1, 2, 3}
	var n int
	use(&a, &n)
}

func native707(use func(...any)) {
	var a = [3]int{1, 2, 3}
	var n int
	use(&a, &n)
	for _, x := range a {
		n += x
	}
}

func setup708(use func(...any)) {
	var a = [3]int{1, 2, 3}
	var n int
	use(&a, &n)
}

func native708(use func(...any)) {
	var a = [3]int{1, 2, 3}
	var n int
	use(&a, &n)
	for i, x := range a {
		a[2] = 10
		n += i * x
	}
}

func setup709(use func(...any)) {
	var n int
	var s string
	use(&n, &s)
}

func native709(use func(...any)) {
	var n int
	var s string
	use(&n, &s)
	for i, r := range "aéb" {
		n += i
		s += string(r) + kind(r)
	}
}

func setup710(use func(...any)) {
	var t string = "aéb"
	var s []rune
	use(&t, &s)
}

func native710(use func(...any)) {
	var t string = "aéb"
	var s []rune
	use(&t, &s)
	for _, r := range t {
		s = append(s, r)
	}
}

func setup711(use func(...any)) {
	var m = map[string]int{"a": 1, "b": 2}
	var n int
	use(&m, &n)
}

func native711(use func(...any)) {
	var m = map[string]int{"a": 1, "b": 2}
	var n int
	use(&m, &n)
	for k, v := range m {
		n += len(k) * v
	}
}

func setup712(use func(...any)) {
	var m = map[string]int{"a": 1, "b": 2}
	var s []string
	use(&m, &s)
}

func native712(use func(...any)) {
	var m = map[string]int{"a": 1, "b": 2}
	var s []string
	use(&m, &s)
	for k := range m {
		s = append(s, k)
	}
	sort.Strings(s)
}

func setup713(use func(...any)) {
	var m = map[int]int{1: 1, 2: 2, 3: 3}
	use(&m)
}

func native713(use func(...any)) {
	var m = map[int]int{1: 1, 2: 2, 3: 3}
	use(&m)
	for k := range m {
		if k > 1 {
			delete(m, k)
		}
	}
}

func setup714(use func(...any)) {
	var m map[string]int
	var n int
	use(&m, &n)
}

func native714(use func(...any)) {
	var m map[string]int
	var n int
	use(&m, &n)
	for range m {
		n++
	}
}

func setup715(use func(...any)) {
	var n int
	use(&n)
}

func native715(use func(...any)) {
	var n int
	use(&n)
	for i := range 3 {
		n += i
	}
}

func setup716(use func(...any)) {
	var n int
	use(&n)
}

func native716(use func(...any)) {
	var n int
	use(&n)
	for range 3 {
		n++
	}
}

func setup717(use func(...any)) {
	var n, k int = 0, 4
	use(&n, &k)
}

func native717(use func(...any)) {
	var n, k int = 0, 4
	use(&n, &k)
	for i := range k {
		n += i
	}
}

func setup718(use func(...any)) {
	var n int
	use(&n)
}

func native718(use func(...any)) {
	var n int
	use(&n)
	for x := range func(yield func(int) bool) { _ = yield(1) && yield(2) } {
		n += x
	}
}

func setup719(use func(...any)) {
	var c = make(chan int, 3)
	var n int
	use(&c, &n)
}

func native719(use func(...any)) {
	var c = make(chan int, 3)
	var n int
	use(&c, &n)
	c <- 1
	c <- 2
	close(c)
	for x := range c {
		n += x
	}
}

func setup720(use func(...any)) {
	var i, x int
	var s = []int{5, 6}
	use(&i, &x, &s)
}

func native720(use func(...any)) {
	var i, x int
	var s = []int{5, 6}
	use(&i, &x, &s)
	for i, x = range s {
	}
}

func setup721(use func(...any)) {
	var s []*int
	use(&s)
}

func native721(use func(...any)) {
	var s []*int
	use(&s)
	for _, x := range []int{1, 2, 3} {
		s = append(s, &x)
	}
}

func setup722(use func(...any)) {
	var n string
	use(&n)
}

func native722(use func(...any)) {
	var n string
	use(&n)
	for _, x := range []any{1, "a", nil} {
		n += kind(x)
	}
}

func setup723(use func(...any)) {
	var n int
	use(&n)
}

func native723(use func(...any)) {
	var n int
	use(&n)
	for _, p := range []Point{{X: 1}, {X: 2}} {
		n += p.Sum()
	}
}

func setup724(use func(...any)) {
	var s = []*Point{{X: 1}, {X: 2}}
	use(&s)
}

func native724(use func(...any)) {
	var s = []*Point{{X: 1}, {X: 2}}
	use(&s)
	for _, p := range s {
		p.X *= 10
	}
}

func setup725(use func(...any)) {
	var a = [3]int{1, 2, 3}
	var n int
	use(&a, &n)
}

func native725(use func(...any)) {
	var a = [3]int{1, 2, 3}
	var n int
	use(&a, &n)
	for i := range &a {
		n += i
	}
}

func setup726(use func(...any)) {
	var s = [][]int{{1, 2}, {3}}
	var n int
	use(&s, &n)
}

func native726(use func(...any)) {
	var s = [][]int{{1, 2}, {3}}
	var n int
	use(&s, &n)
	for _, row := range s {
		for _, x := range row {
			n += x
		}
	}
}

func setup727(use func(...any)) {
	var s []any
	use(&s)
}

func native727(use func(...any)) {
	var s []any
	use(&s)
	for _, x := range []int{1, 2, 3} {
		s = append(s, x)
	}
}

func setup728(use func(...any)) {
	var n int
	use(&n)
}

func native728(use func(...any)) {
	var n int
	use(&n)
	for _, x := range []int{1, 2, 3, 4} {
		if x == 3 {
			break
		}
		n += x
	}
}

func setup729(use func(...any)) {
	var s []string
	use(&s)
}

func native729(use func(...any)) {
	var s []string
	use(&s)
	for _, w := range strings.Fields("a b c") {
		s = append(s, w+"!")
	}
}

func setup730(use func(...any)) {
	var n int
	use(&n)
}

func native730(use func(...any)) {
	var n int
	use(&n)
	for _, b := range []byte("abc") {
		n += int(b)
	}
}

func setup731(use func(...any)) {
	var x int = 2
	var s string
	use(&x, &s)
}

func native731(use func(...any)) {
	var x int = 2
	var s string
	use(&x, &s)
	switch x {
	case 1:
		s = "one"
	case 2, 3:
		s = "two"
	default:
		s = "other"
	}
}

func setup732(use func(...any)) {
	var x int = 9
	var s string
	use(&x, &s)
}

func native732(use func(...any)) {
	var x int = 9
	var s string
	use(&x, &s)
	switch x {
	case 1:
		s = "one"
	default:
		s = "other"
	}
}

func setup733(use func(...any)) {
	var x int = 9
	use(&x)
}

func native733(use func(...any)) {
	var x int = 9
	use(&x)
	switch x {
	case 1:
		x = 0
	}
}

func setup734(use func(...any)) {
	var x string = "b"
	var n int
	use(&x, &n)
}

func native734(use func(...any)) {
	var x string = "b"
	var n int
	use(&x, &n)
	switch x {
	case "a":
		n = 1
	case "b":
		n = 2
	}
}

func setup735(use func(...any)) {
	var x int = 7
	var s string
	use(&x, &s)
}

func native735(use func(...any)) {
	var x int = 7
	var s string
	use(&x, &s)
	switch {
	case x > 10:
		s = "big"
	case x > 5:
		s = "mid"
	default:
		s = "small"
	}
}

func setup736(use func(...any)) {
	var x int = 1
	var s string
	use(&x, &s)
}

func native736(use func(...any)) {
	var x int = 1
	var s string
	use(&x, &s)
	switch x {
	case 1:
		s += "1"
		fallthrough
	case 2:
		s += "2"
	case 3:
		s += "3"
	}
}

func setup737(use func(...any)) {
	var x int = 1
	var s string
	use(&x, &s)
}

func native737(use func(...any)) {
	var x int = 1
	var s string
	use(&x, &s)
	switch x {
	case 1:
		s += "1"
		if x == 1 {
			break
		}
		s += "no"
	}
}

func setup738(use func(...any)) {
	var s string
	use(&s)
}

func native738(use func(...any)) {
	var s string
	use(&s)
	switch y := double(2); y {
	case 4:
		s = "four"
	}
}

func setup739(use func(...any)) {
	var l Level = 2
	var s string
	use(&l, &s)
}

func native739(use func(...any)) {
	var l Level = 2
	var s string
	use(&l, &s)
	switch l {
	case Low:
		s = "l"
	case High:
		s = "h"
	}
}

func setup740(use func(...any)) {
	var a any = "x"
	var s string
	use(&a, &s)
}

func native740(use func(...any)) {
	var a any = "x"
	var s string
	use(&a, &s)
	switch a {
	case 1:
		s = "int"
	case "x":
		s = "str"
	}
}

func setup741(use func(...any)) {
	var x int = 2
	var s string
	use(&x, &s)
}

func native741(use func(...any)) {
	var x int = 2
	var s string
	use(&x, &s)
	switch x {
	default:
		s = "d"
	case 2:
		s = "2"
	}
}

func setup742(use func(...any)) {
	var x int = 4
	var s string
	use(&x, &s)
}

func native742(use func(...any)) {
	var x int = 4
	var s string
	use(&x, &s)
	switch x {
	case double(1):
		s = "2"
	case double(2):
		s = "4"
	}
}

func setup743(use func(...any)) {
	var a any = 5
	var s string
	use(&a, &s)
}

func native743(use func(...any)) {
	var a any = 5
	var s string
	use(&a, &s)
	switch v := a.(type) {
	case string:
		s = "s" + v
	case int:
		s = kind(v + 1)
	default:
		s = "?"
	}
}

func setup744(use func(...any)) {
	var a any = 2.5
	var s string
	use(&a, &s)
}

func native744(use func(...any)) {
	var a any = 2.5
	var s string
	use(&a, &s)
	switch v := a.(type) {
	case int, float64:
		s = kind(v)
	}
}

func setup745(use func(...any)) {
	var a any
	var s string
	use(&a, &s)
}

func native745(use func(...any)) {
	var a any
	var s string
	use(&a, &s)
	switch a.(type) {
	case nil:
		s = "nil"
	default:
		s = "?"
	}
}

func setup746(use func(...any)) {
	var a any = Twin{X: 1}
	var s string
	use(&a, &s)
}

func native746(use func(...any)) {
	var a any = Twin{X: 1}
	var s string
	use(&a, &s)
	switch v := a.(type) {
	case Point:
		s = "point"
	case Twin:
		s = kind(v.X)
	}
}

func setup747(use func(...any)) {
	var a any = Point{X: 1}
	var s string
	use(&a, &s)
}

func native747(use func(...any)) {
	var a any = Point{X: 1}
	var s string
	use(&a, &s)
	switch v := a.(type) {
	case error:
		s = v.Error()
	case fmt.Stringer:
		s = v.String()
	}
}

func setup748(use func(...any)) {
	var err error = &Oops{4}
	var n int
	use(&err, &n)
}

func native748(use func(...any)) {
	var err error = &Oops{4}
	var n int
	use(&err, &n)
	switch e := err.(type) {
	case *Oops:
		n = e.Code
	}
}

func setup749(use func(...any)) {
	var a any = High
	var s string
	use(&a, &s)
}

func native749(use func(...any)) {
	var a any = High
	var s string
	use(&a, &s)
	switch a.(type) {
	case int:
		s = "int"
	case Level:
		s = "level"
	}
}

func setup750(use func(...any)) {
	var c = make(chan int, 2)
	var x int
	use(&c, &x)
}

func native750(use func(...any)) {
	var c = make(chan int, 2)
	var x int
	use(&c, &x)
	c <- 5
	x = <-c
}

func setup751(use func(...any)) {
	var c = make(chan int, 2)
	var x int
	var ok bool
	use(&c, &x, &ok)
}

func native751(use func(...any)) {
	var c = make(chan int, 2)
	var x int
	var ok bool
	use(&c, &x, &ok)
	c <- 5
	x, ok = <-c
}

func setup752(use func(...any)) {
	var c = make(chan int, 2)
	var r int
	use(&c, &r)
}

func native752(use func(...any)) {
	var c = make(chan int, 2)
	var r int
	use(&c, &r)
	c <- 5
	x, ok := <-c
	if ok {
		r = x
	}
}

func setup753(use func(...any)) {
	var c = make(chan int, 2)
	use(&c)
}

func native753(use func(...any)) {
	var c = make(chan int, 2)
	use(&c)
	c <- 5
	<-c
	n := len(c)
	c <- n
}

func setup754(use func(...any)) {
	var c = make(chan any, 2)
	use(&c)
}

func native754(use func(...any)) {
	var c = make(chan any, 2)
	use(&c)
	c <- 5
	c <- "x"
	a, b := <-c, <-c
	c <- a == 5
	c <- b
}

func setup755(use func(...any)) {
	var c = make(chan Point, 2)
	var p Point
	use(&c, &p)
}

func native755(use func(...any)) {
	var c = make(chan Point, 2)
	var p Point
	use(&c, &p)
	c <- Point{X: 3}
	p = <-c
}

func setup756(use func(...any)) {
	var c = make(chan int, 2)
	var x int
	use(&c, &x)
}

func native756(use func(...any)) {
	var c = make(chan int, 2)
	var x int
	use(&c, &x)
	c <- 5
	x = <-c + 1
}

func setup757(use func(...any)) {
	var c = make(chan int, 2)
	var s string
	use(&c, &s)
}

func native757(use func(...any)) {
	var c = make(chan int, 2)
	var s string
	use(&c, &s)
	c <- 5
	s = kind(<-c)
}

func setup758(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
}

func native758(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
	c <- 4
	select {
	case x = <-c:
	default:
		x = 9
	}
}

func setup759(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
}

func native759(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
	select {
	case v := <-c:
		x = v
	default:
		x = 9
	}
}

func setup760(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
}

func native760(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
	select {
	case c <- 3:
		x = 1
	default:
		x = 9
	}
}

func setup761(use func(...any)) {
	var c = make(chan error, 1)
	var err error
	use(&c, &err)
}

func native761(use func(...any)) {
	var c = make(chan error, 1)
	var err error
	use(&c, &err)
	c <- errBase
	err = <-c
}

func setup762(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
}

func native762(use func(...any)) {
	var c = make(chan int, 1)
	var x int
	use(&c, &x)
	go func() { c <- 3 }()
	x = <-c
}

func setup763(use func(...any)) {
	var s []int
	use(&s)
}

func native763(use func(...any)) {
	var s []int
	use(&s)
	defer func() { s = append(s, 1) }()
	s = append(s, 2)
}

func setup764(use func(...any)) {
	var n int
	use(&n)
}

func native764(use func(...any)) {
	var n int
	use(&n)
again:
	n++
	if n < 3 {
		goto again
	}
}

func setup765(use func(...any)) {
	var x int = 1
	use(&x)
}

func native765(use func(...any)) {
	var x int = 1
	use(&x)
	{
		y := x + 1
		x = y
	}
	{
		y := x * 10
		x = y
	}
}

func setup766(use func(...any)) {
	var x int
	use(&x)
}

func native766(use func(...any)) {
	var x int
	use(&x)
	{
		x = 1
		{
			x++
		}
	}
}

func setup767(use func(...any)) {
	var x, y int = (3), 0
	use(&x, &y)
}

func native767(use func(...any)) {
	var x, y int = (3), 0
	use(&x, &y)
	y = ((x) + (2)) * (x)
}

func setup768(use func(...any)) {
	var s = []int{3, 1, 2}
	use(&s)
}

func native768(use func(...any)) {
	var s = []int{3, 1, 2}
	use(&s)
	slices.Sort(s)
}

func setup769(use func(...any)) {
	var n int
	use(&n)
}

func native769(use func(...any)) {
	var n int
	use(&n)
	n = slices.Max([]int{1, 5, 2})
}

func setup770(use func(...any)) {
	var n int
	use(&n)
}

func native770(use func(...any)) {
	var n int
	use(&n)
	n = len(slices.Collect(maps.Keys(map[string]int{"a": 1})))
}

func setup771(use func(...any)) {
	var b bool
	use(&b)
}

func native771(use func(...any)) {
	var b bool
	use(&b)
	b = io.EOF != nil
}

func setup772(use func(...any)) {
	var s string
	use(&s)
}

func native772(use func(...any)) {
	var s string
	use(&s)
	s = kind(io.EOF)
}

func setup773(use func(...any)) {
	var err error
	use(&err)
}

func native773(use func(...any)) {
	var err error
	use(&err)
	err = io.EOF
}

func setup774(use func(...any)) {
	var err error = io.EOF
	var r bool
	use(&err, &r)
}

func native774(use func(...any)) {
	var err error = io.EOF
	var r bool
	use(&err, &r)
	r = err == io.EOF
}

func setup775(use func(...any)) {
	var n int
	use(&n)
}

func native775(use func(...any)) {
	var n int
	use(&n)
	n = len(os.Args)
	b := n > 0
	if b {
		n = 1
	}
}

func setup776(use func(...any)) {
	var s string
	use(&s)
}

func native776(use func(...any)) {
	var s string
	use(&s)
	s = time.UTC.String()
}

func setup777(use func(...any)) {
	var t sort.IntSlice
	use(&t)
}

func native777(use func(...any)) {
	var t sort.IntSlice
	use(&t)
	t = sort.IntSlice{3, 1}
	t.Sort()
}

func setup778(use func(...any)) {
	var r strings.Replacer
	var p *strings.Replacer
	use(&r, &p)
}

func native778(use func(...any)) {
	var r strings.Replacer
	var p *strings.Replacer
	use(&r, &p)
	p = strings.NewReplacer("a", "b")
	s := p.Replace("aa")
	_ = r
	if s != "bb" {
		p = nil
	}
}

func setup779(use func(...any)) {
	var u url.URL
	use(&u)
}

func native779(use func(...any)) {
	var u url.URL
	use(&u)
	u = url.URL{Scheme: "http", Host: "h"}
}

func setup780(use func(...any)) {
	var u *url.URL
	var s string
	use(&u, &s)
}

func native780(use func(...any)) {
	var u *url.URL
	var s string
	use(&u, &s)
	u = &url.URL{Scheme: "http", Host: "h"}
	s = u.String()
}

func setup781(use func(...any)) {
	var h = make([]string, 1)
	use(&h)
}

func native781(use func(...any)) {
	var h = make([]string, 1)
	use(&h)
	f := strings.ToUpper
	h[0] = f("x")
}

func setup782(use func(...any)) {
	var w io.Writer
	var b bytes.Buffer
	use(&w, &b)
}

func native782(use func(...any)) {
	var w io.Writer
	var b bytes.Buffer
	use(&w, &b)
	w = &b
	fmt.Fprint(w, "x", 1)
}

func setup783(use func(...any)) {
	var m sync.Mutex
	use(&m)
}

func native783(use func(...any)) {
	var m sync.Mutex
	use(&m)
	m.Lock()
	m.Unlock()
}

func setup784(use func(...any)) {
	var n int
	use(&n)
}

func native784(use func(...any)) {
	var n int
	use(&n)
	r := strings.NewReader("hello")
	buf := make([]byte, 3)
	n, err := r.Read(buf)
	if err == nil {
		n += len(buf)
	}
}
